# frozen_string_literal: true

require 'minitest/autorun'
require_relative 'chef_double'
require_relative 'scripted_flockd'

# The library in a run, with a flockd that says what the test says.
class SessionTest < Minitest::Test
  RUN = '/v1/runs/life.chef1'

  def setup
    @flockd = ScriptedFlockd.new
    @done = []
  end

  def teardown
    @flockd.close
    ENV.delete('CHEF_FLOCK_RUN')
  end

  def recipe(settings = {}, attributes = {})
    @recipe = Recipe.new('bender0', { 'socket' => @flockd.path }.merge(settings), attributes)
    yield @recipe if block_given?
    @recipe
  end

  def execute(name, **options, &block)
    @recipe.execute(name, **options) do
      @done << name
      block&.call
    end
  end

  def told(what)
    @flockd.bodies("#{RUN}/#{what}")
  end

  def notification(number, resource, action = 'run')
    { 'notification' => number, 'id' => "fry-#{number}", 'resource' => resource, 'action' => action }
  end

  # Answers once what was asked may have come.
  def tell(*messages)
    messages.each { |message| @flockd.tell(message) }
  end

  def test_a_run_is_told_from_its_beginning_to_its_end
    node = { 'roles' => ['web'], 'recipes' => ['site'], 'tags' => [], 'kernel' => { 'release' => '6.1' }, 'secret' => 1 }
    recipe({ 'publish_attributes' => ['kernel.release', 'fqdn'] }, node)
    execute('here')

    @recipe.converge

    about = @flockd.bodies('/v1/runs').first
    assert_equal [false, ['web'], ['site'], { 'kernel' => { 'release' => '6.1' } }],
                 about.values_at('why_run', 'roles', 'recipes', 'attributes')
    assert_equal [{ 'resource' => 'execute[here]', 'actions' => %w(nothing run idle) }], told('resources').first['resources']
    assert_equal true, told('end').first['success']
  end

  def test_an_update_is_sent_with_what_caused_it
    recipe
    execute('here').remote_notifies(:run, 'execute[there]', node: 'bender1')

    @recipe.converge

    sent = { 'action' => 'run', 'resource' => 'execute[there]', 'node' => ['bender1'],
             'by' => { 'resource' => 'execute[here]', 'action' => 'run' } }
    assert_equal [sent], told('notify')
    assert_equal [['execute[here]']], told('updated').map { |u| u['resources'] }
  end

  def test_what_was_not_updated_sends_nothing
    recipe
    execute('here', action: :idle).remote_notifies(:run, 'execute[there]', node: 'bender1')
    guarded = execute('guarded')
    guarded.guard = -> { false }
    guarded.remote_notifies(:run, 'execute[there]', node: 'bender1')

    @recipe.converge

    assert_empty told('notify')
    assert_empty told('updated')
  end

  def test_the_same_delayed_wish_of_two_resources_is_sent_once_at_the_end
    recipe
    2.times { |i| execute("here #{i}").remote_notifies(:run, 'execute[there]', :delayed, node: 'bender1') }
    execute('last') { assert_empty told('notify') }

    @recipe.converge

    assert_equal 1, told('notify').size
    assert_equal 'execute[here 0]', told('notify').first['by']['resource']
  end

  def test_before_is_sent_before_the_change
    recipe
    execute('here') { assert_equal 1, told('notify').size }.remote_notifies(:run, 'execute[there]', :before, node: 'bender1')

    @recipe.converge

    assert_equal 1, told('notify').size
    assert_equal 1, told('updated').size
  end

  def test_a_failed_run_sends_what_was_delayed_and_says_that_it_failed
    recipe
    execute('here').remote_notifies(:run, 'execute[there]', :delayed, node: 'bender1')
    execute('fails') { raise 'no space left' }

    assert_raises(RuntimeError) { @recipe.converge }

    assert_equal 1, told('notify').size
    assert_equal [false, 'no space left'], told('end').first.values_at('success', 'error')
    assert_equal %w(updated failed), told('updated').map { |u| u['outcome'] }
  end

  def test_why_run_declares_nothing_sends_nothing_and_waits_for_nothing
    recipe
    here = execute('here')
    here.remote_notifies(:run, 'execute[there]', node: 'bender1')
    here.wait_until { flunk }

    @recipe.converge(why_run: true)

    assert_equal true, @flockd.bodies('/v1/runs').first['why_run']
    assert_empty told('notify')
    assert_empty told('updated')
  end

  def test_all_subscriptions_are_told_at_once
    recipe
    execute('here', action: :nothing).remote_subscribes(:run, 'package[nginx]', :delayed, role: 'web')

    @recipe.converge

    assert_equal [{ 'action' => 'run', 'resource' => 'execute[here]', 'watched' => 'package[nginx]', 'timing' => 'delayed',
                    'publishers' => { 'roles' => ['web'] } }], told('resources').first['subscribes']
  end

  def test_a_resource_is_known_by_each_of_its_names
    recipe
    execute('here').declared_type = 'apt_execute'

    @recipe.converge

    names = ['execute[here]', 'apt_execute[here]']
    assert_equal(names, told('resources').first['resources'].map { |r| r['resource'] })
    assert_equal names, told('updated').first['resources']
  end

  def test_what_comes_during_a_run_is_performed_between_two_resources
    recipe
    execute('first') { tell(notification(7, 'execute[target]')) }
    execute('second')
    target = execute('target', action: :nothing)
    target.notifies(:run, execute('chained', action: :nothing), :immediately)

    @recipe.converge

    assert_equal %w(first target chained second), @done
    assert_equal [{ 'notification' => 7, 'outcome' => 'updated', 'error' => '' }], told('performed')
  end

  def test_what_comes_at_the_end_of_a_run_is_performed_still
    recipe
    execute('first').notifies(:run, execute('late', action: :nothing) { tell(notification(7, 'execute[target]')) }, :delayed)
    execute('target', action: :nothing)

    @recipe.converge

    assert_equal %w(first late target), @done
    assert_equal 1, told('performed').size
  end

  def test_several_are_performed_in_their_order
    recipe
    execute('first') { tell(*(1..3).map { |n| notification(n, "execute[target #{n}]") }) }
    (1..3).each { |n| execute("target #{n}", action: :nothing) }

    @recipe.converge

    assert_equal ['first', 'target 1', 'target 2', 'target 3'], @done
    assert_equal([1, 2, 3], told('performed').map { |p| p['notification'] })
  end

  def test_two_for_the_same_target_are_performed_twice
    recipe
    execute('first') { tell(notification(1, 'execute[target]'), notification(2, 'execute[target]')) }
    execute('target', action: :nothing)

    @recipe.converge

    assert_equal %w(first target target), @done
    assert_equal 2, told('performed').size
  end

  def test_what_a_notification_sets_off_names_it_as_the_cause
    recipe
    execute('first') { tell(notification(7, 'execute[target]')) }
    target = execute('target', action: :nothing)
    target.remote_notifies(:run, 'execute[there]', node: 'bender1')
    chained = execute('chained', action: :nothing)
    target.notifies(:run, chained, :immediately)
    chained.remote_notifies(:run, 'execute[elsewhere]', :delayed, node: 'bender1')

    @recipe.converge

    assert_equal([7, 7], told('notify').map { |n| n['notification'] })
    assert_equal([nil, 7, 7], told('updated').map { |u| u['notification'] })
  end

  def test_a_target_that_fails_is_told_and_fails_the_run
    recipe
    execute('first') { tell(notification(7, 'execute[target]')) }
    execute('target', action: :nothing) { raise 'no space left' }

    assert_raises(RuntimeError) { @recipe.converge }

    assert_equal [{ 'notification' => 7, 'outcome' => 'failed', 'error' => 'no space left' }], told('performed')
  end

  def test_a_target_that_is_up_to_date_or_skipped_is_told_so
    recipe
    execute('first') { tell(notification(7, 'execute[target]', 'idle'), notification(8, 'execute[guarded]')) }
    execute('target', action: :nothing)
    execute('guarded', action: :nothing).guard = -> { false }

    @recipe.converge

    assert_equal(%w(up_to_date skipped), told('performed').map { |p| p['outcome'] })
  end

  def test_an_unknown_target_or_action_is_told_and_harms_nothing
    recipe
    execute('first') { tell(notification(7, 'execute[nobody]'), notification(8, 'execute[first]', 'explode')) }
    execute('second')

    @recipe.converge

    assert_equal %w(first second), @done
    assert_equal ['execute[nobody] is not in this run', 'execute[first] has no action explode'],
                 (told('performed').map { |p| p['error'] })
  end

  def test_names_with_brackets_and_commas_are_found_whole
    name = 'a[0],b[größe]'
    recipe
    execute('first') { tell(notification(7, "execute[#{name}]")) }
    execute(name, action: :nothing)

    @recipe.converge

    assert_equal ['first', name], @done
  end

  def test_a_target_with_a_before_is_acknowledged_once_after_it_ran
    recipe
    execute('first') { tell(notification(7, 'execute[target]')) }
    target = execute('target', action: :nothing) { assert_empty told('performed') }
    target.notifies(:run, execute('warned', action: :nothing), :before)

    @recipe.converge

    assert_equal %w(first warned target), @done
    assert_equal 1, told('performed').size
  end

  def test_a_run_for_notifications_performs_these_alone
    ENV['CHEF_FLOCK_RUN'] = 'notified'
    recipe
    execute('always')
    execute('target', action: :nothing)
    @flockd.on("#{RUN}/resources") do |socket|
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
      socket.close
      tell(notification(7, 'execute[target]'))
    end

    @recipe.converge

    assert_equal %w(target), @done
    assert_nil ENV['CHEF_FLOCK_RUN']
  end

  def test_a_run_for_notifications_may_be_a_full_one
    ENV['CHEF_FLOCK_RUN'] = 'notified'
    recipe('run_on_notification' => 'full')
    execute('always')

    @recipe.converge

    assert_equal %w(always), @done
  end

  def test_a_flockd_that_goes_away_and_comes_back_is_told_again_and_told_once
    recipe
    execute('first') { tell(notification(7, 'execute[target]')) }
    execute('target', action: :nothing)
    execute('second') do
      @flockd.hang_up
      @recipe.session.link.instance_variable_set(:@next_try, 0) # as if a while had passed
    end
    execute('third')
    execute('fourth') { tell(notification(1, 'execute[target]').merge('id' => 'fry-7')) }

    @recipe.converge

    assert_equal %w(first target second third fourth), @done
    assert_equal 2, @flockd.bodies('/v1/runs').size
    assert_equal 2, told('resources').size
    assert_equal [[7, 'updated'], [1, 'updated']], (told('performed').map { |p| p.values_at('notification', 'outcome') })
  end

  def test_a_flockd_that_hangs_costs_its_time_out_once
    held = []
    recipe('call_timeout' => 0.1)
    10.times { |i| execute("here #{i}") }
    @flockd.on("#{RUN}/updated") { |socket| held << socket }

    @recipe.converge
    held.each(&:close)

    assert_equal 10, @done.size
    assert_equal 1, told('updated').size
    assert_equal 1, @flockd.bodies('/v1/runs').size
  end

  def test_what_cannot_be_said_is_a_warning
    recipe
    execute("here\xFF").remote_notifies(:run, 'execute[there]', node: 'bender1')

    @recipe.converge

    assert_equal 1, @done.size
    assert_includes Chef::Log.warnings.last, 'not notified: run execute[there] on node:bender1: it cannot be said in JSON'
  end

  def test_calls_that_are_no_notifications_are_performed_each
    recipe
    execute('first') do
      tell(*[1, 2].map { |n| notification(n, 'execute[target]').merge('id' => '') })
    end
    execute('target', action: :nothing)

    @recipe.converge

    assert_equal %w(first target target), @done
  end

  def test_without_a_flockd_a_run_goes_on_with_a_warning
    recipe('socket' => '/nonexistent/sock')
    execute('here').remote_notifies(:run, 'execute[there]', node: 'bender1')
    execute('second')

    @recipe.converge

    assert_equal %w(here second), @done
    assert_includes Chef::Log.warnings.first, 'flockd cannot be reached on /nonexistent/sock'
    assert_includes Chef::Log.warnings.last, 'not notified: run execute[there] on node:bender1'
  end

  def test_without_a_flockd_a_run_fails_where_it_is_required
    recipe('socket' => '/nonexistent/sock', 'required' => true)
    execute('here')

    assert_raises(FlockOfChefs::Required) { @recipe.converge }
    assert_empty @done
  end

  def test_a_run_that_installs_flockd_is_told_of_when_flockd_answers
    flockd = ScriptedFlockd.new
    path = flockd.path
    File.rename(path, "#{path}-not-yet")
    recipe('socket' => path, 'required' => true)
    install = execute('install') do
      File.rename("#{path}-not-yet", path)
      FlockOfChefs.await_flockd(5)
    end
    install.cookbook_name = :flock_of_chefs
    install.recipe_name = 'default'
    execute('here').remote_notifies(:run, 'execute[there]', node: 'bender1')

    @recipe.converge

    assert_empty Chef::Log.warnings
    assert_equal 1, flockd.bodies("#{RUN}/notify").size
    assert_equal [%w(execute[install] execute[here])],
                 (flockd.bodies("#{RUN}/resources").map { |b| b['resources'].map { |r| r['resource'] } })
  ensure
    flockd.close
  end

  def test_a_node_that_takes_no_part_says_nothing
    recipe('enabled' => false)
    here = execute('here')
    here.remote_notifies(:run, 'execute[there]', node: 'bender1')
    here.wait_until { flunk }

    @recipe.converge

    assert_equal %w(here), @done
    assert_empty @flockd.asked
    assert_empty Chef::Log.warnings
  end

  def test_a_location_that_matches_nobody_is_a_warning_or_where_it_matters_a_failure
    @flockd.on("#{RUN}/notify", [404, { 'error' => { 'code' => 'not_found', 'message' => 'nobody matches' } }])
    recipe
    execute('here').remote_notifies(:run, 'execute[there]', role: 'web')
    @recipe.converge
    assert_includes Chef::Log.warnings.last, 'nobody matches'

    recipe
    execute('here').remote_notifies(:run, 'execute[there]', role: 'web', required: true)
    assert_raises(FlockOfChefs::Required) { @recipe.converge }
  end

  def test_a_target_that_refuses_is_a_warning
    @flockd.on("#{RUN}/notify", 'notifications' => [{ 'id' => nil, 'node' => 'bender1', 'state' => 'failed',
                                                      'error' => { 'code' => 'refused', 'message' => 'goes round' } }])
    recipe
    execute('here').remote_notifies(:run, 'execute[there]', node: 'bender1')

    @recipe.converge

    assert_includes Chef::Log.warnings.last, 'run execute[there] on bender1: goes round'
  end

  def test_more_resources_than_fit_in_one_request_are_told_in_several
    recipe
    400.times { |i| execute("#{i} #{'x' * 4000}", action: :nothing) }

    @recipe.converge

    assert_operator told('resources').size, :>, 1
    assert_equal [false] + [true] * (told('resources').size - 1), (told('resources').map { |part| part['add'] })
    assert_equal 400, (told('resources').sum { |part| part['resources'].size })
  end

  def test_a_wait_ends_when_its_block_says_so
    looks = 0
    recipe('wait' => { 'pause' => 0.01 })
    execute('here').wait_until { (looks += 1) == 3 }

    @recipe.converge

    assert_equal 3, looks
    assert_equal %w(here), @done
  end

  def test_a_wait_that_takes_too_long_fails_its_resource_as_its_retries_and_ignore_failure_say
    looks = 0
    recipe('wait' => { 'pause' => 0.01, 'timeout' => 0.02 })
    here = execute('here')
    here.ignore_failure = true
    here.retries = 1
    here.wait_while { looks += 1 }
    execute('second')

    @recipe.converge

    assert_equal %w(second), @done
    assert_operator looks, :>=, 4
    assert_includes told('updated').first['error'], 'execute[here]: wait_while did not come to an end within 0.02 s'
  end

  def test_a_guard_that_says_no_comes_before_a_wait
    recipe
    here = execute('here')
    here.guard = -> { false }
    here.wait_until { flunk }

    @recipe.converge

    assert_empty @done
  end

  def test_while_a_resource_waits_others_are_performed
    recipe('wait' => { 'pause' => 0.01 })
    execute('waits').wait_until do
      tell(notification(7, 'execute[target]')) if told('performed').empty? && !@told
      @told = true
      @done.include?('target')
    end
    execute('target', action: :nothing)

    @recipe.converge

    assert_equal %w(target waits), @done
    assert_equal 1, told('performed').size
  end

  def test_a_waiting_resource_that_is_a_target_itself_acts_later
    recipe('wait' => { 'pause' => 0.01 })
    looks = 0
    execute('waits').wait_until do
      tell(notification(7, 'execute[waits]')) if (looks += 1) == 1
      assert_equal 1, @recipe.session.instance_variable_get(:@actions).depth # never within itself
      looks > 10
    end

    @recipe.converge

    assert_equal %w(waits waits), @done
    assert_equal 1, told('performed').size
  end

  def test_actors_elsewhere_are_called_by_their_methods
    @flockd.on('/v1/call/bender1/itchy/fight', 'result' => 'Bite!')
    recipe
    assert_equal 'Bite!', FlockOfChefs['bender1'][:itchy].fight(1, 'x')
    assert_equal [[1, 'x']], @flockd.bodies('/v1/call/bender1/itchy/fight')
  end

  def test_an_actor_that_does_not_answer_is_nil_and_a_warning
    @flockd.on('/v1/call/bender1/flock_api/active', [404, { 'error' => { 'code' => 'not_found', 'message' => 'no bender1' } }])
    recipe

    assert_nil FlockOfChefs['bender1'][:flock_api].active
    assert_includes Chef::Log.warnings.last, 'bender1/flock_api active: no bender1'
  end

  def test_a_wait_goes_on_while_nobody_can_tell
    @flockd.on('/v1/call/bender1/flock_api/active', [502, { 'error' => { 'code' => 'unreachable', 'message' => 'no way' } }])
    recipe('wait' => { 'pause' => 0.01 })
    looks = 0
    execute('here').wait_while do
      @flockd.on('/v1/call/bender1/flock_api/active', 'result' => false) if (looks += 1) == 3
      FlockOfChefs['bender1'][:flock_api].active
    end

    @recipe.converge

    assert_equal 3, looks
  end

  def test_a_search_finds_nodes
    @flockd.on('/v1/nodes?query=role%3Aweb', 'nodes' => [{ 'id' => 'bender1' }, { 'id' => 'bender2' }])
    recipe

    assert_equal(%w(bender1 bender2), FlockOfChefs.search('role:web').map(&:to_s))
  end

  def test_ruby_code_in_a_recipe_may_notify_too
    recipe
    execute('here') { FlockOfChefs.notify(:run, 'execute[there]', node: 'bender1') }

    @recipe.converge

    assert_equal [{ 'action' => 'run', 'resource' => 'execute[there]', 'node' => ['bender1'] }], told('notify')
  end
end
