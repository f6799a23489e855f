# frozen_string_literal: true

require 'shellwords'

module FlockOfChefs
  # flockd.conf as the node's attributes say it.
  class Configuration
    # Source: ZooKeeper's own default
    ZOOKEEPER_PORT = 2181
    # One that is neither true nor a path.
    class Wrong < StandardError; end

    # A run that flockd starts is a part of the service flockd, and would be ended with it. In a scope of its own it
    # may even restart flockd.
    SCOPE = 'systemd-run --scope --quiet --collect'
    # Source: sd_booted(3)
    SYSTEMD = '/run/systemd/system'

    # search: finds the ZooKeeper servers, as nodes, where no attribute names them.
    def initialize(node, systemd: File.directory?(SYSTEMD), &search)
      @node = node
      @systemd = systemd
      @given = node['flock_of_chefs']
      @search = search
    end

    def text
      "# Written by the cookbook flock_of_chefs.\n" + options.map { |key, value| "#{key} = #{value}\n" }.join
    end

    def options
      { 'id' => @node.name, 'registry' => registry, 'listen' => listen,
        'environment' => environment, 'socket' => @given['socket'], 'chef-command' => chef_command,
        'tls-ca' => tls['ca'], 'tls-cert' => tls['cert'], 'tls-key' => tls['key'] }
        .merge(@given['config'].to_h).reject { |_, value| value.nil? || value.to_s.empty? }
    end

    def chef_command
      given = @given['chef_command'].to_s
      return given if given.empty? || !@systemd

      "#{SCOPE} /bin/sh -c #{Shellwords.escape(given)}"
    end

    def registry
      return @given['registry'] if @given['registry']

      servers = Array(@given['zk_servers'])
      servers = found_servers if servers.empty?
      raise Wrong, "no registry: set node['flock_of_chefs']['registry'] or ['zk_servers']; the search found none" if
        servers.empty?

      "zk://#{servers.map { |s| s.include?(':') ? s : "#{s}:#{ZOOKEEPER_PORT}" }.join(',')}#{@given['zk_path']}"
    end

    # Nothing without certificates: flockd is alone then, unless config says that it is insecure.
    def listen
      address && "#{address}:#{@given['port']}"
    end

    def address
      named = @given['bind_addr']['ip_address']
      return named if named

      device = @given['bind_addr']['device']
      return address_of(device) if device

      return @node['ipaddress'] if tls['cert']

      '127.0.0.1' if @given['config'].to_h['insecure']
    end

    private

    # Chef's name for none.
    def environment
      @node.chef_environment == '_default' ? nil : @node.chef_environment
    end

    def tls
      @given['tls'] || {}
    end

    def address_of(device)
      addresses = @node.read('network', 'interfaces', device, 'addresses') || {}
      found = addresses.find { |_, is| is['family'] == 'inet' }
      raise Wrong, "no IPv4 address on the device #{device}" unless found

      found.first
    end

    # As the zookeeperd cookbook publishes them.
    def found_servers
      query = 'zk_id:*'
      query += " AND chef_environment:#{@given['zk_env']}" if @given['zk_env']
      @search.call(query).map { |server| server['ipaddress'] }.compact.sort
    end
  end
end
