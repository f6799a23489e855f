# frozen_string_literal: true

# Ends with 77, which ctest shows as skipped, where there is no chef-client.
unless File.executable?(ENV['CHEF_CLIENT'].to_s)
  warn 'skipped: CHEF_CLIENT names no chef-client'
  exit 77
end

require_relative 'acceptance_case'
Dir[File.join(__dir__, 'acceptance/*.rb')].sort.each { |file| require file }
