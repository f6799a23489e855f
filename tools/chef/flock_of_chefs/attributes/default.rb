# frozen_string_literal: true

# Whether this node takes part in the flock.
default['flock_of_chefs']['enabled'] = true
# Without flockd a run goes on with a warning; true makes that a failure.
default['flock_of_chefs']['required'] = false
# The control socket of the local flockd.
default['flock_of_chefs']['socket'] = '/run/flock/flockd.sock'
# What flockd may take to answer the library, in seconds.
default['flock_of_chefs']['call_timeout'] = 5
# What a run that flockd starts for a notification performs: 'notified', the resources that were notified and what they
# notify, or 'full', everything.
default['flock_of_chefs']['run_on_notification'] = 'notified'
# Attributes that other nodes may ask for and search by, as paths: 'kernel.release'.
default['flock_of_chefs']['publish_attributes'] = %w(platform platform_version fqdn ipaddress kernel.release)
# wait_until and wait_while, in seconds: between two looks, and before they fail.
default['flock_of_chefs']['wait']['pause'] = 1
default['flock_of_chefs']['wait']['timeout'] = 600

# Where flockd listens: an address, or the first IPv4 address of a device; without both the node's ipaddress. Without
# certificates nowhere: flockd is alone then, unless config says { 'insecure' => true }, which is for trials on one machine.
default['flock_of_chefs']['port'] = '22222'
default['flock_of_chefs']['bind_addr']['device'] = nil
default['flock_of_chefs']['bind_addr']['ip_address'] = nil
# The registry, as zk://host:port[,host:port]/path. Without it its servers are zk_servers, or, found by a Chef search,
# the nodes that the zookeeperd cookbook made ZooKeeper servers, in zk_env if that is set.
default['flock_of_chefs']['registry'] = nil
default['flock_of_chefs']['zk_servers'] = []
default['flock_of_chefs']['zk_env'] = nil
default['flock_of_chefs']['zk_path'] = '/flock'

# Where flockd comes from: a package that is installed, or a file.deb, or nothing if it is there already.
default['flock_of_chefs']['package'] = nil
default['flock_of_chefs']['service'] = 'flockd'
default['flock_of_chefs']['config_file'] = '/etc/flock/flockd.conf'
# Files of certificates, PEM. Without them flockd is alone.
default['flock_of_chefs']['tls']['ca'] = nil
default['flock_of_chefs']['tls']['cert'] = nil
default['flock_of_chefs']['tls']['key'] = nil
# How flockd starts a Chef run when a notification comes between two runs. For a client that is a daemon, what wakes it:
# 'kill -USR1 $(cat /run/chef/client.pid)'
default['flock_of_chefs']['chef_command'] = 'chef-client --no-color'
# More lines of flockd.conf, by their keys: { 'notification-ttl' => '2h' }
default['flock_of_chefs']['config'] = {}

default['flock_of_chefs']['example']['notify_node'] = 'bender1'
default['flock_of_chefs']['example']['subscribe_node'] = 'bender0'
