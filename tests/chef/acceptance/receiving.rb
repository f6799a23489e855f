# frozen_string_literal: true

# What becomes of notifications at their receiver, in a run, between runs, and when something dies.
class ReceivingTest < AcceptanceCase
  # bender0 notifies bender1, which starts Chef for it, and whose recipe has a resource that acts in each full run, too.
  def acts_always_beside(what, settings = {})
    fleet.recipe('bender1', <<~RECIPE, settings)
      execute 'always' do
        command '#{note('always', 'acted')}'
      end
      #{what}
    RECIPE
    converge('bender1')
    fleet.starts_chef('bender1')
    killer
  end

  def test_what_comes_during_a_run_is_performed_between_two_resources
    long = slow_run
    killer
    converge('bender0')
    waits_at_bender1
    assert_empty fleet.lines('killed')

    go
    run = fleet.finish(long)

    assert run.success?, run.output
    assert_equal %w(killed buried last), fleet.lines('killed')
    assert_match(/flock_receipt\[run execute\[kill all humans\] for \S+\] action deliver/, run.output)
    succeeded(1)
  end

  def test_nothing_else_of_the_recipe_acts_in_a_run_for_a_notification
    acts_always_beside(buried_target)

    converge('bender0')
    fleet.eventually('buried') { fleet.lines('killed') == %w(killed buried) }

    assert_equal 1, fleet.lines('always').size
  end

  def test_a_node_may_say_that_a_notification_is_a_full_run
    acts_always_beside(target, 'run_on_notification' => 'full')

    converge('bender0')
    killed?(1)
    succeeded(1)

    assert_equal 2, fleet.lines('always').size
  end

  def test_many_at_once_to_an_idle_node_are_a_few_runs_and_none_is_lost
    fleet.recipe('bender1', <<~RECIPE)
      20.times do |i|
        execute "target \#{i}" do
          command "echo \#{i} >> #{fleet.scratch('killed')}"
          action :nothing
        end
      end
    RECIPE
    converge('bender1')
    fleet.starts_chef('bender1')
    before = fleet.runs('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      20.times do |i|
        file "#{fleet.scratch('fubar')}\#{i}" do
          content 'foobar'
          remote_notifies :run, "execute[target \#{i}]", :immediately, node: 'bender1'
        end
      end
    RECIPE

    converge('bender0')
    succeeded(20)

    # Of different resources, in any order.
    assert_equal (0..19).to_a, fleet.lines('killed').map(&:to_i).sort
    assert_operator fleet.runs('bender1') - before, :<=, 3
  end

  def test_a_run_that_is_killed_in_the_middle_gets_it_again
    fleet.recipe('bender1', <<~RECIPE)
      #{long_step}
      execute 'kill all humans' do
        command '#{note('killed', 'begun')}; until [ -e #{fleet.scratch('again')} ]; do sleep 0.05; done'
        timeout 60
        action :nothing
      end
    RECIPE
    go
    converge('bender1')
    File.delete(fleet.scratch('go'), fleet.scratch('begun'))
    long = fleet.start('bender1')
    has_begun
    killer
    converge('bender0')
    go
    fleet.eventually('it is being performed') { fleet.lines('killed').size == 1 }

    fleet.kill(long.pid)
    File.write(fleet.scratch('again'), '')
    converge('bender1')

    assert_equal 2, fleet.lines('killed').size
    succeeded(1)
  end

  def test_what_waits_survives_a_restart_of_its_flockd
    victim
    killer
    converge('bender0')
    waits_at_bender1

    fleet.restart('bender1')
    converge('bender1')

    killed?(1)
    succeeded(1)
  end

  def test_what_is_sent_to_a_node_that_is_away_is_performed_when_it_is_back
    victim
    fleet.cluster_tool('kill', 'bender1')
    killer
    converge('bender0')
    assert_empty fleet.lines('killed')

    fleet.restart('bender1')
    waits_at_bender1
    converge('bender1')

    killed?(1)
    succeeded(1)
  end

  def test_a_flockd_that_is_restarted_during_a_run_still_gives_it_what_comes
    fleet.recipe('bender1', <<~RECIPE)
      file '#{fleet.scratch('begun')}'
      30.times do |i|
        ruby_block "step \#{i}" do
          block { #{fleet.until_there('go')} if i.zero? }
          wait_until(0.2, timeout: 20) { File.exist?('#{fleet.scratch('killed')}') } if i == 29
        end
      end
      #{target}
    RECIPE
    long = fleet.start('bender1')
    has_begun

    fleet.restart('bender1')
    killer
    converge('bender0')
    go
    run = fleet.finish(long)

    assert run.success?, run.output
    assert_equal %w(killed), fleet.lines('killed')
    succeeded(1)
  end

  def test_a_recipe_that_does_not_compile_is_a_failed_receipt_after_three_runs
    victim
    fleet.starts_chef('bender1')
    fleet.recipe('bender1', "raise 'no such thing'\n")
    before = fleet.runs('bender1')
    killer

    converge('bender0')

    assert_includes failed_receipt['error']['message'], 'given up after 3 runs'
    assert_equal 3, fleet.runs('bender1') - before
  end

  def test_the_same_that_waits_twice_is_performed_once
    victim
    killer
    2.times do
      File.delete(fleet.scratch('fubar')) if File.exist?(fleet.scratch('fubar'))
      converge('bender0')
    end
    waits_at_bender1(2)

    converge('bender1')

    succeeded(2)
    killed?(1)
  end
end
