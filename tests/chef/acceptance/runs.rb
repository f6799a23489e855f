# frozen_string_literal: true

# Chef runs that are asked for, however Chef is started.
class RunsTest < AcceptanceCase
  def test_a_run_is_asked_for_from_elsewhere
    fleet.recipe('bender1', "execute 'always' do\n  command '#{note('killed', 'ran')}'\nend\n")
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', "ruby_block('ask') { block { FlockOfChefs['bender1'][:flock_api].run_chef } }\n")

    converge('bender0')
    fleet.eventually('it ran') { fleet.lines('killed') == %w(ran) }
    fleet.eventually('it is over') { fleet.asked('bender0', 'call', 'bender1/flock_api', 'active') == [false] }

    assert_equal true, fleet.asked('bender0', 'call', 'bender1/flock_api', 'last').first['success']
  end

  def test_flockctl_asks_for_runs_and_waits_for_them
    fleet.recipe('bender1', "execute 'always' do\n  command '#{note('killed', 'ran')}'\nend\n")
    fleet.starts_chef('bender1')

    output, code = fleet.flockctl('bender0', 'run-chef', '--node', 'bender1', '--wait')
    assert_equal 0, code, output
    assert_equal 'succeeded', JSON.parse(output)['state']
    assert_equal %w(ran), fleet.lines('killed')
    assert_equal 0, fleet.flockctl('bender0', 'wait', 'bender1=alive', 'bender1/run=idle', 'bender1/execute[always]=updated').last

    fleet.recipe('bender1', "execute 'false'\n")
    output, code = fleet.flockctl('bender0', 'run-chef', '--node', 'bender1', '--wait')
    assert_equal 1, code, output
    assert_equal ['failed', 'exit status 1'], JSON.parse(output).values_at('state', 'error')

    assert_equal 5, fleet.flockctl('bender1', 'run-chef', '--node', 'bender0').last # it has no command for it
  end

  def test_a_run_that_is_asked_for_during_another_is_the_next_one_and_only_one
    fleet.starts_chef('bender1')
    long = slow_run
    output, code = fleet.flockctl('bender0', 'run-chef', '--node', 'bender1')
    assert_equal 0, code, output
    fleet.flockctl('bender0', 'run-chef', '--node', 'bender1')
    assert_equal 1, fleet.runs('bender1')

    go
    fleet.finish(long)
    fleet.eventually('the next one ran') { fleet.lines('killed') == %w(last last) }
    fleet.eventually('it is over') { fleet.idle?('bender1') }

    assert_equal 2, fleet.runs('bender1')
  end

  def test_a_client_that_is_a_daemon_is_woken
    victim
    daemon = fleet.start('bender1', '--interval', '3600', '--splay', '0', '--log_level', 'trace')
    fleet.eventually('it sleeps') { File.read(daemon.log).include?('Sleeping for') }
    fleet.starts_chef('bender1', "kill -USR1 #{daemon.pid}")
    killer

    converge('bender0')
    killed?(1)
    succeeded(1)
  end

  # chef-client -d, which goes away from whoever started it; it is known by its pid file.
  def daemon(node, interval)
    pid_file = fleet.scratch("#{node}.pid")
    log = fleet.scratch("#{node}-daemon.log")
    fleet.converge(node, '--daemonize', '--interval', interval.to_s, '--splay', '0', '--pid', pid_file,
                   '--logfile', log, '--log_level', 'trace')
    fleet.eventually('it has a pid file') { File.size?(pid_file) }
    fleet.ends(Integer(File.read(pid_file)))
    fleet.eventually('it sleeps') { File.exist?(log) && File.read(log).include?('Sleeping for') }
    pid_file
  end

  def test_a_client_in_the_background_is_woken_by_its_pid_file
    victim
    pid_file = daemon('bender1', 3600)
    fleet.starts_chef('bender1', "kill -USR1 $(cat #{pid_file})")
    killer

    converge('bender0')
    killed?(1)
    succeeded(1)

    _, code = fleet.flockctl('bender0', 'run-chef', '--node', 'bender1', '--wait')
    assert_equal 0, code
  end

  def test_a_client_in_the_background_takes_what_waits_in_each_of_its_intervals
    victim
    daemon('bender1', 1)
    killer

    2.times do |i|
      File.delete(fleet.scratch('fubar')) if File.exist?(fleet.scratch('fubar'))
      converge('bender0')
      killed?(i + 1)
    end

    fleet.eventually('three more runs') { fleet.runs('bender1') >= 4 }
  end

  def test_chef_solo_sends_and_takes
    skip "no #{ChefFleet.solo}" unless File.executable?(ChefFleet.solo)
    victim
    fleet.solo('bender1')
    fleet.solo('bender0')
    killer

    converge('bender0')
    waits_at_bender1
    converge('bender1')

    killed?(1)
    succeeded(1)
  end

  def test_a_run_that_flockd_started_goes_on_when_flockd_is_restarted
    fleet.recipe('bender1', <<~RECIPE)
      #{long_step}
      100.times { |i| log "says much, line \#{i}" }
      execute 'last' do
        command '#{note('killed', 'last')}'
      end
    RECIPE
    fleet.starts_chef('bender1')
    fleet.flockctl('bender0', 'run-chef', '--node', 'bender1')
    has_begun

    fleet.restart('bender1')
    go
    fleet.eventually('it is over') { fleet.idle?('bender1') }

    assert_equal %w(last), fleet.lines('killed')
    assert_equal true, fleet.last_run('bender1')['success']
  end

  def test_chefs_command_comes_with_a_reload
    victim
    killer
    converge('bender0')
    waits_at_bender1

    fleet.configure_chef('bender1')
    assert_equal 0, fleet.flockctl('bender1', 'reload').last

    killed?(1)
  end
end
