# frozen_string_literal: true

require_relative 'session_case'

# Resources that wait, and other nodes that are asked.
class WaitingTest < SessionCase
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
