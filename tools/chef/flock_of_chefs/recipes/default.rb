# frozen_string_literal: true

# Makes this node a part of the flock: flockd installed, configured, started, and answering before the next resource.

flock = node['flock_of_chefs']
return unless flock['enabled']

# A new one is restarted at the end of the run: until then the old one serves it.
if flock['package'].to_s.end_with?('.deb')
  dpkg_package 'flock' do
    source flock['package']
    notifies :restart, "service[#{flock['service']}]", :delayed
  end
elsif flock['package']
  package flock['package'] do
    notifies :restart, "service[#{flock['service']}]", :delayed
  end
end

directory ::File.dirname(flock['config_file']) do
  recursive true
end

directory ::File.join(::File.dirname(flock['config_file']), 'resources.d')

file flock['config_file'] do
  content lazy { FlockOfChefs::Configuration.new(node) { |query| search(:node, query) }.text }
  mode '0640'
  notifies :restart, "service[#{flock['service']}]", :immediately
end

service flock['service'] do
  supports status: true, restart: true, reload: true # where it is a script in /etc/init.d
  action %i(enable start)
end

ruby_block 'flockd answers' do
  block { FlockOfChefs.await_flockd(30) }
  not_if { FlockOfChefs.flockd_answers? }
end
