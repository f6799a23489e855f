# frozen_string_literal: true

module FlockOfChefs
  # What the cookbook's attributes say to the library.
  class Settings
    DEFAULTS = {
      'enabled' => true,
      'socket' => '/run/flock/flockd.sock',
      'required' => false,
      'run_on_notification' => 'notified',
      'publish_attributes' => [],
      'call_timeout' => 5,
      'wait' => { 'pause' => 1, 'timeout' => 600 }
    }.freeze

    # node: anything that answers ['flock_of_chefs'], or nil.
    def initialize(node = nil)
      @given = (node && node['flock_of_chefs']) || {}
    end

    def enabled?
      of('enabled') != false
    end

    def required?
      of('required') == true
    end

    # Where a test or a shell says it, then the attribute.
    def socket
      (ENV['FLOCK_SOCKET'].to_s.empty? ? of('socket') : ENV['FLOCK_SOCKET']).to_s
    end

    # A run that flockd started for notifications performs these alone.
    def notified_only?
      of('run_on_notification').to_s != 'full'
    end

    def published
      Array(of('publish_attributes')).map(&:to_s)
    end

    def call_timeout
      positive(of('call_timeout'), DEFAULTS['call_timeout'])
    end

    def wait_pause
      positive(wait['pause'], DEFAULTS['wait']['pause'])
    end

    def wait_timeout
      positive(wait['timeout'], DEFAULTS['wait']['timeout'])
    end

    private

    def of(name)
      given = @given[name]
      given.nil? ? DEFAULTS[name] : given
    end

    def wait
      of('wait') || {}
    end

    def positive(given, otherwise)
      number = Float(given)
      number.positive? ? number : otherwise
    rescue ArgumentError, TypeError
      otherwise
    end
  end
end
