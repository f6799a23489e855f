# frozen_string_literal: true

require_relative 'session_case'

# What a run says and sends, and how it bears a flockd that is away.
class SessionTest < SessionCase
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
end
