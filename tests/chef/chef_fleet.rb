# frozen_string_literal: true

require 'English'
require 'fileutils'
require 'json'
require 'open3'
require 'tmpdir'
require 'timeout'

# A flock on this machine whose nodes are configured by a real chef-client in local mode. Whatever it starts, it ends.
class ChefFleet
  ROOT = File.expand_path('../..', __dir__)
  # For a whole Chef run on a machine that has other things to do.
  RUN_SECONDS = 120

  attr_reader :folder

  def self.client
    ENV['CHEF_CLIENT'].to_s
  end

  # Beside the client, as in an installation.
  def self.solo
    File.join(File.dirname(client), File.basename(client).sub('client', 'solo'))
  end

  def initialize(nodes: 2)
    @folder = Dir.mktmpdir('flock-chef-')
    @started = []
    @others = []
    @solo = []
    @machines = {}
    @run_lists = Hash.new(['recipe[site]'])
    tool('flock-cluster', 'up', '--dir', cluster, '--nodes', nodes.to_s)
    @nodes = Array.new(nodes) { |i| "bender#{i}" }
    @nodes.each { |node| prepare(node) }
  end

  def down
    @started.each { |pid| kill(pid) }
    @others.each { |pid| end_process(pid) }
    tool('flock-cluster', 'down', '--dir', cluster)
    FileUtils.rm_rf(@folder)
  end

  # A node on a machine of its own, which has no flockd yet.
  def add(node, machine)
    @machines[node] = machine
    prepare(node)
  end

  # The registry of all its nodes.
  def registry
    File.read(File.join(cluster, 'env'))[/FLOCK_REGISTRY=['"]?([^'"\s]+)/, 1]
  end

  # What the node's recipe is from now on.
  def recipe(node, text, attributes = {})
    FileUtils.mkdir_p(home(node, 'cookbooks/site/recipes'))
    File.write(home(node, 'cookbooks/site/metadata.rb'), "name 'site'\nversion '0.1.0'\ndepends 'flock_of_chefs'\n")
    File.write(home(node, 'cookbooks/site/recipes/default.rb'), text)
    settings = { 'wait' => { 'pause' => 0.2, 'timeout' => 30 } }.merge(attributes)
    settings['socket'] ||= socket(node) unless @machines[node]
    File.write(home(node, 'first.json'), JSON.generate('run_list' => @run_lists[node], 'flock_of_chefs' => settings))
  end

  # The same, with a Chef that knows nothing of the library.
  def recipe_without_library(node, text)
    recipe(node, text)
    File.write(home(node, 'cookbooks/site/metadata.rb'), "name 'site'\nversion '0.1.0'\n")
  end

  def custom_resource(node, name, text)
    FileUtils.mkdir_p(home(node, 'cookbooks/site/resources'))
    File.write(home(node, "cookbooks/site/resources/#{name}.rb"), text)
  end

  # How many Chef runs of this node its flockd has seen.
  def runs(node)
    asked(node, 'events').count { |e| e['type'] == 'run_started' }
  end

  # Whether no Chef of this node runs: each has the lock to the end of its process, which comes after that of its run.
  def chef_ended?(node)
    !File.exist?(lock(node)) || File.open(lock(node)) { |f| f.flock(File::LOCK_EX | File::LOCK_NB) }
  end

  def idle?(node)
    asked(node, 'call', "#{node}/flock_api", 'active') == [false]
  end

  # How the last run of this life of its flockd went.
  def last_run(node)
    asked(node, 'call', "#{node}/flock_api", 'last').first
  end

  def connected?(node, other)
    asked(node, 'status').first['peers'].any? { |peer| peer['node'] == other }
  end

  Run = Struct.new(:status, :output) do
    def success?
      status.zero?
    end
  end

  # A Chef run of the node, from start to end.
  def converge(node, *flags)
    finish(start(node, *flags))
  end

  Started = Struct.new(:pid, :log)

  def start(node, *flags)
    log = home(node, "run-#{@started.size}.log")
    pid = Process.spawn({ 'FLOCK_SOCKET' => nil }, *within(node), *command(node), *flags, in: File::NULL, out: log, err: %i[child out],
                                                                          pgroup: true)
    @started << pid
    Started.new(pid, log)
  end

  def finish(started)
    Timeout.timeout(RUN_SECONDS) { Process.wait(started.pid) }
    Run.new($CHILD_STATUS.exitstatus || 128, File.read(started.log))
  rescue Timeout::Error
    kill(started.pid)
    raise "the Chef run did not end:\n#{File.read(started.log)}"
  end

  # As kill -9 does, its children included.
  def kill(pid)
    Process.kill(:KILL, -pid)
    Process.wait(pid)
  rescue Errno::ESRCH, Errno::ECHILD
    nil
  end

  # Ends this process when all is over: one that nobody here is the parent of.
  def ends(pid)
    @others << pid
  end

  # From now on the node's runs are those of chef-solo, which knows no server, not even one in its own process.
  def solo(node)
    @solo << node
  end

  # The node's run list has this role as well.
  def role(node, name)
    FileUtils.mkdir_p(home(node, 'roles'))
    File.write(home(node, "roles/#{name}.json"), JSON.generate('name' => name, 'json_class' => 'Chef::Role'))
    @run_lists[node] = ["role[#{name}]", 'recipe[site]']
    recipe(node, '')
  end

  # More lines of the configuration of its flockd, which reads them when it is restarted or reloads.
  def configure(node, *lines)
    File.open(File.join(cluster, node, 'flockd.conf'), 'a') { |conf| conf.puts(lines) }
  end

  def configure_chef(node, by = command(node).join(' '))
    configure(node, "chef-command = #{by}", "chef-lock = #{lock(node)}")
  end

  # Lets flockd start Chef runs of this node by itself.
  def starts_chef(node, by = command(node).join(' '))
    configure_chef(node, by)
    restart(node)
    # The others know it at its new address.
    (@nodes - [node]).each { |other| eventually("#{other} reaches #{node}") { flockctl(other, 'ping', node).last.zero? } }
  end

  def restart(node)
    tool('flock-cluster', 'restart', '--dir', cluster, node)
  end

  def cluster_tool(verb, node)
    tool('flock-cluster', verb, '--dir', cluster, node)
  end

  def flockctl(node, *arguments)
    output, status = Open3.capture2e(*within(node), 'flockctl', '--socket', socket(node), '--format', 'json', *arguments)
    [output, status.exitstatus]
  end

  # The lines of JSON that flockctl prints.
  def asked(node, *arguments)
    flockctl(node, *arguments).first.lines.map { |line| JSON.parse(line) }
  end

  def eventually(what, seconds: 60)
    until_ = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    loop do
      found = yield
      return found if found
      raise "#{what} did not come true\n#{logs}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > until_

      sleep(0.05)
    end
  end

  # In Ruby, for a recipe: waits for a file, and fails when it does not come.
  def until_there(name)
    "Timeout.timeout(60) { sleep 0.05 until File.exist?('#{scratch(name)}') }"
  end

  # A file that recipes write to.
  def scratch(name)
    File.join(@folder, name)
  end

  def lines(name)
    File.exist?(scratch(name)) ? File.readlines(scratch(name), chomp: true) : []
  end

  def home(node, *below)
    File.join(@folder, 'chef', node, *below)
  end

  def socket(node)
    return '/run/flock/flockd.sock' if @machines[node]

    File.join(cluster, node, 'flockd.sock')
  end

  def logs
    @nodes.map { |node| "#{node}:\n#{File.read(File.join(cluster, node, 'flockd.log'))}" }.join("\n")
  end

  # How flockd starts a run of this node.
  def command(node)
    return [ChefFleet.solo, '--legacy-mode', '-c', home(node, 'solo.rb'), '-j', home(node, 'first.json'), '--no-color'] if
      @solo.include?(node)

    [ChefFleet.client, '-z', '-c', home(node, 'client.rb'), '-j', home(node, 'first.json'), '--minimal-ohai', '--no-color']
  end

  private

  def lock(node)
    home(node, 'cache', 'chef-client-running.pid')
  end

  def within(node)
    @machines[node] ? @machines[node].enter : []
  end

  def cluster
    File.join(@folder, 'flock')
  end

  def end_process(pid)
    Process.kill(:KILL, pid)
  rescue Errno::ESRCH
    nil
  end

  def prepare(node)
    FileUtils.mkdir_p(home(node, 'cookbooks'))
    FileUtils.mkdir_p(home(node, 'cache'))
    File.write(home(node, 'client.rb'), <<~CONFIG)
      node_name '#{node}'
      local_mode true
      chef_repo_path '#{home(node)}'
      cookbook_path ['#{home(node, 'cookbooks')}', '#{File.join(ROOT, 'tools/chef')}']
      file_cache_path '#{home(node, 'cache')}'
      file_backup_path '#{home(node, 'backup')}'
      chef_license 'accept-no-persist'
    CONFIG
    File.write(home(node, 'solo.rb'), File.read(home(node, 'client.rb')).lines.grep_v(/local_mode|chef_repo_path/).join)
    recipe(node, '')
  end

  def tool(name, *arguments)
    output, status = Open3.capture2e(name, *arguments)
    raise "#{name} #{arguments.join(' ')}: #{output}" unless status.success?

    output
  end
end
