# frozen_string_literal: true

# The library with Chef's own classes, but without its application: for a Chef that cannot be run here. CHEF_LIB names
# the folders of its Ruby code, as PATH does. Ends with 77, which ctest shows as skipped, where it is unset.
if ENV['CHEF_LIB'].to_s.empty?
  warn 'skipped: CHEF_LIB names no folders of Chef'
  exit 77
end
$LOAD_PATH.unshift(*ENV['CHEF_LIB'].split(':'))
$VERBOSE = nil # Chef's code is not ours to warn of
require 'chef'

require 'minitest/autorun'
require 'tmpdir'
require_relative 'scripted_flockd'
require_relative '../../tools/chef/flock_of_chefs/libraries/flock_of_chefs'

class ClassesTest < Minitest::Test
  RUN = '/v1/runs/life.chef1'

  def setup
    puts "Chef #{Chef::VERSION}" unless @@told ||= false
    @@told = true
    @folder = Dir.mktmpdir('flock-classes-')
    @flockd = ScriptedFlockd.new
    Chef::Config[:why_run] = false
    Chef::Config[:file_backup_path] = File.join(@folder, 'backup')
    Chef::Log.level = :fatal
    @done = []
  end

  def teardown
    @flockd.close
    FileUtils.rm_rf(@folder)
  end

  # A run of this recipe, from its attributes to its end. Returns its error, if any.
  def converge(settings = {}, &recipe)
    context = new_context({ 'socket' => @flockd.path, 'wait' => { 'pause' => 0.01 } }.merge(settings))
    context.events.attribute_load_complete
    Chef::Recipe.new('site', 'default', context).instance_exec(self, &recipe)
    context.events.converge_start(context)
    Chef::Runner.new(context).converge
    context.events.run_completed(context.node, nil)
    nil
  rescue StandardError => e
    context.events.run_failed(e, nil)
    e
  end

  def new_context(settings)
    node = Chef::Node.new
    node.name('bender0')
    settings.each { |name, value| node.override['flock_of_chefs'][name] = value }
    context = Chef::RunContext.new(node, {}, Chef::EventDispatch::Dispatcher.new)
    Chef.set_run_context(context)
    FlockOfChefs.attach(context)
    context
  end

  def told(what)
    @flockd.bodies("#{RUN}/#{what}")
  end

  def path(name)
    File.join(@folder, name)
  end

  attr_reader :done

  def test_what_is_updated_notifies_at_once_and_at_the_end_and_what_is_not_does_not
    converge do |test|
      %w(one two).each do |name|
        file test.path(name) do
          content name
          remote_notifies :run, 'execute[now]', :immediately, node: 'bender1'
          remote_notifies :run, 'execute[later]', :delayed, node: 'bender1'
        end
      end
      file 'unchanged' do
        path test.path('one')
        content 'one'
        remote_notifies :run, 'execute[never]', :immediately, node: 'bender1'
      end
    end

    assert_equal %w(execute[now] execute[now] execute[later]), told('notify').map { |b| b['resource'] }
    assert_equal 'file', told('notify').first['by']['resource'][/\A\w+/]
  end

  def test_why_run_sends_nothing
    Chef::Config[:why_run] = true
    converge do |test|
      file test.path('one') do
        remote_notifies :run, 'execute[now]', :immediately, node: 'bender1'
      end
    end

    assert_empty told('notify')
    refute File.exist?(path('one'))
  end

  # The first resource is given a notification while it acts.
  def test_what_comes_is_performed_between_two_resources_with_what_it_notifies
    converge do |test|
      ruby_block 'first' do
        block { test.come('ruby_block[target]') }
      end
      ruby_block 'second' do
        block { test.done << 'second' }
      end
      ruby_block 'target' do
        block { test.done << 'target' }
        action :nothing
        notifies :run, 'ruby_block[chained]', :immediately
      end
      ruby_block 'chained' do
        block { test.done << 'chained' }
        action :nothing
      end
    end

    assert_equal %w(target chained second), @done
    assert_equal [[7, 'updated']], (told('performed').map { |b| b.values_at('notification', 'outcome') })
  end

  def come(resource)
    @flockd.tell('notification' => 7, 'id' => 'fry-7', 'resource' => resource, 'action' => 'run')
  end

  def test_a_wait_comes_after_the_guards_and_its_end_is_the_resources_failure
    failed = converge do |test|
      ruby_block 'guarded' do
        not_if { true }
        wait_until { test.done << 'asked' }
        block {}
      end
      looks = 0
      ruby_block 'patient' do
        wait_until { (looks += 1) > 2 }
        block { test.done << 'patient' }
      end
      ruby_block 'ignored' do
        wait_while(0.01, timeout: 0.05) { true }
        ignore_failure true
        block {}
      end
      ruby_block 'failed' do
        wait_while(0.01, timeout: 0.05) { true }
        block {}
      end
    end

    assert_equal %w(patient), @done
    assert_includes failed.message, 'ruby_block[failed]'
    assert_includes failed.message, 'wait_while did not come to an end within 0.05 s'
  end

  def test_a_waiting_resource_performs_what_comes
    converge do |test|
      ruby_block 'waits' do
        wait_until { test.come('ruby_block[target]') && test.done.any? }
        block { test.done << 'waits' }
      end
      ruby_block 'target' do
        block { test.done << 'target' }
        action :nothing
      end
    end

    assert_equal %w(target waits), @done.first(2)
  end

  def test_what_a_run_watches_and_declares_is_told
    converge do
      ruby_block 'toast' do
        block {}
        action :nothing
        remote_subscribes :run, 'file[/tmp/fubar]', :delayed, node: 'bender0'
      end
    end

    assert_equal [{ 'action' => 'run', 'resource' => 'ruby_block[toast]', 'watched' => 'file[/tmp/fubar]',
                    'timing' => 'delayed', 'publishers' => { 'node' => ['bender0'] } }], told('resources').first['subscribes']
    assert_includes(told('resources').first['resources'].map { |r| r['resource'] }, 'ruby_block[toast]')
  end

  def test_a_wish_that_is_none_names_its_resource
    failed = converge do
      ruby_block('x') { remote_notifies :run, 'execute[y]', :later, node: 'bender1' }
    end

    assert_instance_of ArgumentError, failed
    assert_match(/ruby_block\[x\] \(.*classes_test.rb:\d+.*\): no timing: :later/, failed.message)
  end
end
