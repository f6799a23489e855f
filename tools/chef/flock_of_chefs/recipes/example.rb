# frozen_string_literal: true

# What the README shows, with the nodes that node['flock_of_chefs']['example'] names.

file '/tmp/fubar' do
  content 'foobar'
  remote_notifies :run, 'execute[kill all humans]', :immediately, node: node['flock_of_chefs']['example']['notify_node']
end

execute 'kill all humans' do
  command 'echo killed >> /tmp/humans'
  action :nothing
end

execute 'toast' do
  command 'echo toast >> /tmp/toast'
  action :nothing
  remote_subscribes :run, 'file[/tmp/fubar]', :delayed, node: node['flock_of_chefs']['example']['subscribe_node']
end
