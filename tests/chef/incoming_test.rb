# frozen_string_literal: true

require_relative 'session_case'

# What becomes of notifications that come for a run.
class IncomingTest < SessionCase
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
end
