# frozen_string_literal: true

require 'minitest/autorun'
require 'fileutils'
require 'tmpdir'
require_relative 'chef_double'

# The library in a run, with a real flockd; the Chef is a double.
class FlockdTest < Minitest::Test
  SECONDS = 30

  def setup
    @folder = Dir.mktmpdir('flock-chef-')
    FileUtils.mkdir_p(File.join(@folder, 'resources.d'))
    start_flockd
    @done = []
  end

  def teardown
    stop_flockd
    FileUtils.rm_rf(@folder)
  end

  def start_flockd
    @log = File.join(@folder, 'flockd.log')
    @flockd = Process.spawn('flockd', '--id', 'bender0', '--registry', 'memory:', '--socket', socket,
                            '--state-dir', File.join(@folder, 'state'), '--resources', File.join(@folder, 'resources.d'),
                            in: File::NULL, %i[out err] => [@log, 'a'])
    eventually('flockd is ready') { control.get('/v1/status') }
  end

  def stop_flockd(signal = :TERM)
    Process.kill(signal, @flockd)
    Process.wait(@flockd)
  end

  def socket
    File.join(@folder, 'flockd.sock')
  end

  def control
    FlockOfChefs::Control.new(socket)
  end

  def eventually(what)
    until_ = FlockOfChefs::Deadline.new(SECONDS)
    loop do
      found = begin
        yield
      rescue FlockOfChefs::Error
        nil
      end
      return found if found
      raise "#{what} did not come true:\n#{File.read(@log)}" if until_.over?

      sleep(0.01)
    end
  end

  def recipe
    Recipe.new('bender0', 'socket' => socket, 'wait' => { 'pause' => 0.01, 'timeout' => SECONDS })
  end

  def execute(recipe, name, **options, &work)
    recipe.execute(name, **options) do
      @done << name
      work&.call
    end
  end

  def actors
    control.get('/v1/actors')['actors'].map { |a| a['name'] }
  end

  def notifications(state)
    control.get("/v1/notifications?state=#{state}")['notifications']
  end

  def events
    IO.popen(['flockctl', '--socket', socket, '--format', 'json', 'events'], &:readlines).map { |line| JSON.parse(line) }
  end

  # By somebody else than the run.
  def notify(resource, action = 'run')
    control.post('/v1/notify?wait=queued', { 'resource' => resource, 'action' => action, 'node' => 'bender0' })
  end

  # Holds a resource back until the run was given something.
  def until_given(recipe)
    recipe.session.control.get('/v1/status')['chef']['waiting'].positive?
  end

  def test_a_run_shows_what_it_declares_and_that_it_is_under_way
    site = recipe
    execute(site, 'here') do
      assert_includes actors, 'execute[here]'
      assert_equal true, FlockOfChefs['bender0'][:flock_api].active
    end

    site.converge

    eventually('the run has ended') { FlockOfChefs['bender0'][:flock_api].active == false }
    last = FlockOfChefs['bender0'][:flock_api].last
    assert_equal [true, nil], last.values_at('success', 'error')
    state = control.get('/v1/resources')['resources'].find { |r| r['resource'] == 'execute[here]' }
    assert_equal %w(run updated), state.values_at('action', 'outcome')
  end

  def test_what_a_node_is_and_runs_on_is_told_in_a_recipe
    site = recipe
    told = nil
    execute(site, 'asks') { told = FlockOfChefs['bender0'][:info].summary }

    site.converge

    assert_equal ['bender0', 'Linux'], told.values_at('id', 'os')
    assert_operator told['memory']['total'], :>, 0
    assert_equal told['kernel'], FlockOfChefs['bender0'][:info].kernel
    assert_equal told['versions'], FlockOfChefs['bender0'][:info].versions
  end

  def test_what_somebody_delays_is_sent_when_the_run_has_ended_if_it_ends_so
    wish = { 'resource' => 'execute[other]', 'action' => 'run', 'node' => 'bender0', 'timing' => 'delayed' }
    site = recipe
    answered = nil
    execute(site, 'here') do
      control.post('/v1/notify', wish.merge('on' => 'failure'))
      answered = control.post('/v1/notify', wish.merge('on' => 'success'))
      assert_empty control.get('/v1/notifications')['notifications']
    end

    site.converge

    assert_equal [], answered['notifications']
    assert_match(/chef/, answered['run'])
    eventually('it was sent') { control.get('/v1/notifications')['notifications'].length == 1 }
    refused = assert_raises(FlockOfChefs::Error) { control.post('/v1/notify', wish) }
    assert_match(/no run is under way/, refused.message)
  end

  def test_a_notification_is_performed_in_the_run_and_its_receipt_says_so
    site = recipe
    execute(site, 'first').remote_notifies(:run, 'execute[target]', node: 'bender0')
    execute(site, 'second').wait_until { @done.include?('target') }
    execute(site, 'target', action: :nothing)

    site.converge

    assert_equal %w(first target second), @done
    eventually('a receipt') { notifications('succeeded').size == 1 }
  end

  def test_what_a_killed_run_had_in_hand_is_given_to_the_next
    killed = recipe
    execute(killed, 'target', action: :nothing)
    killed.context.events.attribute_load_complete
    killed.context.events.converge_start(killed.context)
    notify('execute[target]')
    eventually('it is given') { until_given(killed) }
    killed.session.link.close # as the end of its process does

    eventually('the run is over') { FlockOfChefs['bender0'][:flock_api].last }
    site = recipe
    execute(site, 'first').wait_until { @done.include?('target') }
    execute(site, 'target', action: :nothing)
    site.converge

    assert_equal %w(target first), @done
    eventually('a receipt') { notifications('succeeded').size == 1 }
  end

  def test_what_fails_is_a_failed_receipt_with_its_reason
    site = recipe
    execute(site, 'first') { notify('execute[target]') }
    execute(site, 'second').wait_until { @done.include?('target') }
    execute(site, 'target', action: :nothing) { raise 'no space left' }

    begin
      site.converge
    rescue RuntimeError => e # unless it came while the second one waited
      assert_equal 'no space left', e.message
    end

    failed = eventually('a receipt') { notifications('failed').first }
    assert_includes failed['error']['message'], 'no space left'
  end

  def test_what_nobody_declared_is_refused_at_once
    site = recipe
    execute(site, 'first').remote_notifies(:run, 'execute[nobody]', node: 'bender0')

    site.converge

    eventually('a receipt') { notifications('failed').size == 1 }
  end

  def test_a_subscription_is_notified_by_an_update
    site = recipe
    execute(site, 'first')
    execute(site, 'second').wait_until { @done.include?('target') }
    execute(site, 'target', action: :nothing).remote_subscribes(:run, 'execute[first]', node: 'bender0')

    site.converge

    assert_equal %w(first target second), @done
    assert_equal 1, control.get('/v1/subscriptions')['subscriptions'].size

    recipe.converge
    assert_empty control.get('/v1/subscriptions')['subscriptions']
  end

  def test_a_delayed_subscription_is_notified_at_the_end_of_the_run
    site = recipe
    execute(site, 'first')
    execute(site, 'second') { assert_empty control.get('/v1/notifications')['notifications'] }
    execute(site, 'target', action: :nothing).remote_subscribes(:run, 'execute[first]', :delayed, node: 'bender0')

    site.converge

    eventually('it waits for the next run') { control.get('/v1/status')['chef']['waiting'] == 1 }
    refute_includes @done, 'target'
  end

  def test_what_would_cause_itself_again_is_refused
    site = recipe
    target = execute(site, 'target', action: :nothing)
    target.remote_notifies(:run, 'execute[target]', node: 'bender0')
    execute(site, 'first') { notify('execute[target]') }
    execute(site, 'second').wait_until { @done.include?('target') }

    site.converge

    assert_equal %w(first target second), @done
    assert(Chef::Log.warnings.any? { |line| line.include?('execute[target]') }, Chef::Log.lines.join("\n"))
  end

  def test_a_flockd_that_is_restarted_in_the_middle_of_a_run_knows_its_resources_at_once_and_the_run_again
    site = recipe
    execute(site, 'first') do
      stop_flockd(:KILL)
      start_flockd
      assert_includes actors, 'execute[target]'
      notify('execute[target]')
    end
    execute(site, 'second').wait_until { @done.include?('target') }
    execute(site, 'target', action: :nothing)

    site.converge

    assert_equal %w(first target second), @done
    eventually('a receipt') { notifications('succeeded').size == 1 }
  end

  def test_a_run_that_flockd_leaves_does_not_end_there_and_what_waits_for_its_end_is_sent_or_told
    wish = { 'resource' => 'execute[other]', 'action' => 'run', 'node' => 'bender0', 'timing' => 'delayed' }
    site = recipe
    execute(site, 'first') do
      %w(always success failure).each { |on| control.post('/v1/notify', wish.merge('on' => on)) }
      stop_flockd
      start_flockd
    end
    execute(site, 'second')

    site.converge

    runs = eventually('the run has ended') do
      all = events.select { |e| e['type'].start_with?('run_') }
      all if all.any? { |e| e['type'] == 'run_ended' }
    end
    assert_equal %w(run_started run_left run_started run_ended), runs.map { |e| e['type'] }
    assert_equal runs[0]['run'], runs[1]['run']
    assert_equal [runs[2]['run'], true], runs[3].values_at('run', 'success')
    assert_equal 1, control.get('/v1/notifications')['notifications'].size
    missed = events.select { |e| e['type'] == 'not_notified' }
    assert_equal(%w(success failure), missed.map { |e| e['error'][/ with (\w+)/, 1] })
  end

  def test_a_resource_of_a_file_goes_before_chefs_and_stays_when_chef_drops_its_own
    type = -> { control.get('/v1/actors')['actors'].find { |a| a['name'] == 'execute[x]' }&.fetch('type') }
    site = recipe
    execute(site, 'x', action: :nothing)
    site.converge
    assert_equal 'chef', type.call

    File.write(File.join(@folder, 'resources.d/x.json'), '{"execute[x]": {"command": "true", "action": "nothing"}}')
    control.post('/v1/reload', {})
    assert_equal 'execute', type.call

    recipe.converge
    assert_equal 'execute', type.call
  end

  def test_so_many_resources_that_nobody_means_them_are_refused
    site = recipe
    20_001.times { |i| site.execute(i.to_s, action: :nothing) }

    site.converge

    assert(Chef::Log.warnings.any? { |line| line.include?('more than 20000 resources') }, Chef::Log.lines.first)
  end

  def test_a_second_run_at_once_goes_on_without_the_flock
    site = recipe
    execute(site, 'first') do
      other = Recipe.new('bender0', 'socket' => socket)
      other.execute('here')
      other.converge
      assert_includes Chef::Log.warnings.first, 'a Chef run is under way'
    end

    site.converge

    assert_equal %w(first), @done
  end

  def test_a_name_of_four_kilobytes_and_one_of_many_letters_are_names
    names = ["#{'x' * 4087}", 'größe [1], "two"']
    site = recipe
    execute(site, 'first') { names.each { |name| notify("execute[#{name}]") } }
    execute(site, 'second').wait_until { (names - @done).empty? }
    names.each { |name| execute(site, name, action: :nothing) }

    site.converge

    assert_equal ['first', *names, 'second'], @done
  end

  def test_attributes_are_known_to_other_nodes
    site = Recipe.new('bender0', { 'socket' => socket, 'publish_attributes' => ['kernel.release'] },
                      'roles' => ['web'], 'kernel' => { 'release' => '6.1' })
    site.converge

    assert_equal '6.1', FlockOfChefs['bender0'][:flock_api].node('kernel.release')
    assert_equal ['bender0'], FlockOfChefs.search('role:web').map(&:to_s)
    assert FlockOfChefs['bender0'].alive?
  end
end
