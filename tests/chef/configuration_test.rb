# frozen_string_literal: true

require 'minitest/autorun'
require 'open3'
require 'tempfile'
require_relative 'chef_double'

class ConfigurationTest < Minitest::Test
  DEFAULTS = { 'port' => '22222', 'bind_addr' => {}, 'zk_path' => '/flock', 'tls' => {}, 'config' => {},
               'chef_command' => 'chef-client --no-color' }.freeze

  def configuration(settings = {}, attributes = {}, systemd = false, &search)
    node = Chef::Node.new('bender0', attributes.merge('flock_of_chefs' => DEFAULTS.merge(settings)))
    FlockOfChefs::Configuration.new(node, systemd: systemd, &search)
  end

  def test_a_registry_is_named_as_a_whole_or_by_its_servers
    assert_equal 'zk://a:1/x', configuration('registry' => 'zk://a:1/x').registry
    assert_equal 'zk://a:2181,b:99/flock', configuration('zk_servers' => %w(a b:99)).registry
  end

  def test_servers_that_nobody_named_are_searched
    asked = nil
    found = configuration('zk_env' => 'production') do |query|
      asked = query
      [{ 'ipaddress' => '10.0.0.2' }, { 'ipaddress' => '10.0.0.1' }, {}]
    end

    assert_equal 'zk://10.0.0.1:2181,10.0.0.2:2181/flock', found.registry
    assert_equal 'zk_id:* AND chef_environment:production', asked
    assert_raises(FlockOfChefs::Configuration::Wrong) { configuration { [] }.registry }
  end

  def test_a_run_of_flockds_is_no_part_of_the_service_where_there_is_systemd
    assert_equal 'chef-client --no-color', configuration.chef_command
    assert_equal 'systemd-run --scope --quiet --collect /bin/sh -c chef-client\\ --no-color',
                 configuration({}, {}, true).chef_command
    assert_equal '', configuration({ 'chef_command' => nil }, {}, true).chef_command
  end

  def test_without_certificates_it_listens_nowhere_unless_it_is_insecure
    assert_nil configuration.listen
    refute_includes configuration('registry' => 'memory:').text, 'listen'
    assert_equal '127.0.0.1:22222', configuration('config' => { 'insecure' => true }).listen
    assert_equal '10.0.0.7', configuration({ 'tls' => { 'cert' => '/c' } }, 'ipaddress' => '10.0.0.7').address
  end

  def test_an_address_is_given_or_found_on_a_device
    assert_equal '10.0.0.9', configuration('bind_addr' => { 'ip_address' => '10.0.0.9' }).address
    network = { 'interfaces' => { 'eth1' => { 'addresses' => { 'AA:BB' => { 'family' => 'lladdr' },
                                                               '10.0.0.8' => { 'family' => 'inet' } } } } }
    assert_equal '10.0.0.8', configuration({ 'bind_addr' => { 'device' => 'eth1' } }, 'network' => network).address
    assert_raises(FlockOfChefs::Configuration::Wrong) { configuration('bind_addr' => { 'device' => 'eth9' }).address }
  end

  def test_flockd_reads_what_is_written
    written = configuration('registry' => 'memory:', 'socket' => '/tmp/flockd.sock', 'config' => { 'notification-ttl' => '2h' })

    assert_includes written.text, "notification-ttl = 2h\n"
    refute_includes written.text, 'tls-'
    Tempfile.create('flockd.conf') do |file|
      file.write(written.text)
      file.flush
      output, status = Open3.capture2e('flockd', '--config', file.path, '--check-config')
      assert status.success?, output
    end
  end
end
