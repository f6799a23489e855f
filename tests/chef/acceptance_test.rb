# frozen_string_literal: true

# Recipes on two or three nodes, run by the chef-client that CHEF_CLIENT names. Ends with 77, which ctest shows as
# skipped, where there is none.
unless File.executable?(ENV['CHEF_CLIENT'].to_s)
  warn 'skipped: CHEF_CLIENT names no chef-client'
  exit 77
end

require 'minitest/autorun'
require_relative 'chef_fleet'

class AcceptanceTest < Minitest::Test
  make_my_diffs_pretty!

  def setup
    @fleet = nil
  end

  def teardown
    puts @fleet.logs if @fleet && !passed? && ENV['CHEF_TEST_LOGS']
    @fleet&.down
  end

  def fleet(nodes = 2)
    @fleet ||= ChefFleet.new(nodes: nodes)
  end

  # What a recipe writes into a file when it acts.
  def note(name, text)
    "echo #{text} >> #{fleet.scratch(name)}"
  end

  def converge(node, *flags)
    run = fleet.converge(node, *flags)
    assert run.success?, run.output
    run.output
  end

  # Declares, on bender1, a resource that only acts when it is notified.
  def victim
    fleet.recipe('bender1', <<~RECIPE)
      execute 'kill all humans' do
        command '#{note('killed', 'killed')}'
        action :nothing
      end
    RECIPE
    converge('bender1')
  end

  def killer(timing = ':immediately')
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[kill all humans]', #{timing}, node: 'bender1'
      end
    RECIPE
  end

  def killed?(times)
    fleet.eventually("#{times} killed") { fleet.lines('killed').size >= times }
    assert_equal times, fleet.lines('killed').size
  end

  def test_an_update_here_is_a_reaction_there_once_and_nothing_the_next_time
    victim
    fleet.starts_chef('bender1')
    killer

    converge('bender0')
    killed?(1)

    assert_includes converge('bender0'), '(up to date)'
    assert_empty fleet.asked('bender0', 'notifications').reject { |n| n['state'] == 'succeeded' }
    assert_equal 1, fleet.asked('bender0', 'notifications').size
  end

  def test_nothing_else_of_the_recipe_acts_in_a_run_for_a_notification
    fleet.recipe('bender1', <<~RECIPE)
      execute 'always' do
        command '#{note('always', 'acted')}'
      end
      execute 'kill all humans' do
        command '#{note('killed', 'killed')}'
        action :nothing
        notifies :run, 'execute[bury]', :immediately
      end
      execute 'bury' do
        command '#{note('killed', 'buried')}'
        action :nothing
      end
    RECIPE
    converge('bender1')
    fleet.starts_chef('bender1')
    killer

    converge('bender0')
    fleet.eventually('buried') { fleet.lines('killed') == %w(killed buried) }

    assert_equal 1, fleet.lines('always').size
  end

  def test_a_delayed_one_is_sent_once_at_the_end
    victim
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      %w(one two).each do |name|
        file "#{fleet.scratch('')}\#{name}" do
          content name
          remote_notifies :run, 'execute[kill all humans]', :delayed, node: 'bender1'
        end
      end
      ruby_block 'look' do
        block { File.write('#{fleet.scratch('seen')}', File.exist?('#{fleet.scratch('killed')}').to_s) }
      end
    RECIPE

    converge('bender0')
    killed?(1)

    assert_equal ['false'], fleet.lines('seen')
    assert_equal 1, fleet.asked('bender0', 'notifications').size
  end

  def test_a_failed_run_still_sends_what_was_delayed_but_not_of_what_it_did_not_reach
    victim
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[kill all humans]', :delayed, node: 'bender1'
      end
      execute 'false'
      file '#{fleet.scratch('never')}' do
        content 'foobar'
        remote_notifies :run, 'execute[kill all humans]', :delayed, node: 'bender1'
      end
    RECIPE

    refute fleet.converge('bender0').success?

    killed?(1)
    refute File.exist?(fleet.scratch('never'))
  end

  def test_why_run_sends_nothing_and_takes_nothing
    victim
    killer

    assert_includes converge('bender0', '--why-run'), 'Would notify run execute[kill all humans] on node:bender1'
    assert_empty fleet.asked('bender0', 'notifications')

    converge('bender0')
    converge('bender1', '--why-run')
    assert_empty fleet.lines('killed')

    converge('bender1')
    killed?(1)
  end

  def succeeded(times)
    fleet.eventually("#{times} receipts") do
      fleet.asked('bender0', 'notifications').count { |n| n['state'] == 'succeeded' } == times
    end
  end

  def test_before_is_sent_before_the_change_and_a_guard_sends_nothing
    victim
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('guarded')}' do
        content 'foobar'
        not_if { true }
        remote_notifies :run, 'execute[kill all humans]', :before, node: 'bender1'
      end
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[kill all humans]', :before, node: 'bender1'
      end
    RECIPE

    output = converge('bender0')

    assert_operator output.index('flock_notification['), :<, output.index('- create new file')
    killed?(1)
  end

  def test_custom_resources_notify_from_within_and_by_themselves
    victim
    fleet.starts_chef('bender1')
    fleet.custom_resource('bender0', 'robot', <<~RESOURCE)
      provides :robot
      unified_mode true
      property :path, String, name_property: true
      action :build do
        file new_resource.path do
          content 'robot'
          remote_notifies :run, 'execute[kill all humans]', :immediately, node: 'bender1'
        end
      end
    RESOURCE
    fleet.recipe('bender0', <<~RECIPE)
      robot '#{fleet.scratch('bender')}' do
        remote_notifies :run, 'execute[kill all humans]', :delayed, node: 'bender1'
      end
    RECIPE

    converge('bender0')

    succeeded(2)
    assert_equal 2, fleet.lines('killed').size
  end

  def test_a_subscription_needs_nothing_on_the_other_node_and_ends_with_its_recipe
    toast = <<~RECIPE
      execute 'toast' do
        command '#{note('killed', 'toast')}'
        action :nothing
        %s
      end
    RECIPE
    subscribes = "remote_subscribes :run, 'execute[watched]', :immediately, node: 'bender0'"
    fleet.recipe('bender1', format(toast, subscribes))
    converge('bender1')
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', "execute 'watched' do\n  command 'true'\nend\n")
    fleet.eventually('bender0 knows') { fleet.connected?('bender0', 'bender1') }

    converge('bender0')
    killed?(1)

    fleet.recipe('bender1', format(toast, ''))
    converge('bender1')
    assert_empty fleet.asked('bender1', 'subscriptions')
    converge('bender0')
    assert_equal 1, fleet.asked('bender0', 'notifications').size
  end

  # bender1 is in the middle of a long run, and goes on when the file `go` is there.
  def slow_run(more = '')
    fleet.recipe('bender1', <<~RECIPE)
      file '#{fleet.scratch('begun')}'
      ruby_block 'long' do
        block { sleep 0.05 until File.exist?('#{fleet.scratch('go')}') }
      end
      execute 'last' do
        command '#{note('killed', 'last')}'
      end
      execute 'kill all humans' do
        command '#{note('killed', 'killed')}'
        action :nothing
        notifies :run, 'execute[bury]', :immediately
      end
      execute 'bury' do
        command '#{note('killed', 'buried')}'
        action :nothing
      end
      #{more}
    RECIPE
    started = fleet.start('bender1')
    fleet.eventually('the long run has begun') { File.exist?(fleet.scratch('begun')) }
    started
  end

  def go
    File.write(fleet.scratch('go'), '')
  end

  def test_what_comes_during_a_run_is_performed_between_two_resources
    long = slow_run
    killer
    converge('bender0')
    fleet.eventually('it waits') { fleet.asked('bender1', 'status').first['chef']['waiting'] == 1 }
    assert_empty fleet.lines('killed')

    go
    run = fleet.finish(long)

    assert run.success?, run.output
    assert_equal %w(killed buried last), fleet.lines('killed')
    assert_match(/flock_receipt\[run execute\[kill all humans\] for \S+\] action deliver/, run.output)
    succeeded(1)
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

    assert_equal (0..19).map(&:to_s), fleet.lines('killed')
    assert_operator fleet.runs('bender1') - before, :<=, 3
  end

  def test_a_run_that_is_killed_in_the_middle_gets_it_again
    fleet.recipe('bender1', <<~RECIPE)
      file '#{fleet.scratch('begun')}'
      ruby_block 'long' do
        block { sleep 0.05 until File.exist?('#{fleet.scratch('go')}') }
      end
      execute 'kill all humans' do
        command '#{note('killed', 'begun')}; until [ -e #{fleet.scratch('again')} ]; do sleep 0.05; done'
        action :nothing
      end
    RECIPE
    go
    converge('bender1')
    File.delete(fleet.scratch('go'), fleet.scratch('begun'))
    long = fleet.start('bender1')
    fleet.eventually('the long run has begun') { File.exist?(fleet.scratch('begun')) }
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
    fleet.eventually('it waits') { fleet.asked('bender1', 'status').first['chef']['waiting'] == 1 }

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
    fleet.eventually('it waits') { fleet.asked('bender1', 'status').first['chef']['waiting'] == 1 }
    converge('bender1')

    killed?(1)
    succeeded(1)
  end

  def failed_receipt
    fleet.eventually('a failed receipt') do
      fleet.asked('bender0', 'notifications').find { |n| n['state'] == 'failed' }
    end
  end

  def test_an_unknown_resource_or_action_is_a_failed_receipt_and_no_run
    victim
    fleet.starts_chef('bender1')
    before = fleet.runs('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[nobody]', :immediately, node: 'bender1'
        remote_notifies :explode, 'execute[kill all humans]', :immediately, node: 'bender1'
      end
    RECIPE

    converge('bender0')

    fleet.eventually('two failed receipts') do
      fleet.asked('bender0', 'notifications').count { |n| n['state'] == 'failed' } == 2
    end
    assert_equal before, fleet.runs('bender1')
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

  def test_waits_look_at_other_nodes_and_fail_in_time
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('one')}' do
        wait_until(0.1, timeout: 0.5) { FlockOfChefs['bender1'][:flock_api].active }
        ignore_failure true
      end
      file '#{fleet.scratch('two')}' do
        wait_while { FlockOfChefs['bender1'][:flock_api].active }
      end
      file '#{fleet.scratch('three')}' do
        not_if { true }
        wait_until { raise 'asked' }
      end
      flock_wait 'bender1' do
        for_state :alive
      end
    RECIPE

    output = converge('bender0')

    assert_includes output, 'wait_until did not come to an end within 0.5 s'
    assert_equal [false, true], [File.exist?(fleet.scratch('one')), File.exist?(fleet.scratch('two'))]
    converge('bender0', '--why-run')
  end

  def test_two_nodes_that_wait_for_each_others_reactions_do_not_lock_up
    %w(bender0 bender1).each do |here|
      there = here == 'bender0' ? 'bender1' : 'bender0'
      answer = <<~RECIPE
        execute 'answer' do
          command 'touch #{fleet.scratch('')}answered-by-#{here}'
          action :nothing
        end
      RECIPE
      fleet.recipe(here, answer)
      converge(here) # so that it is known before anybody asks for it
      fleet.recipe(here, answer + <<~RECIPE)
        ruby_block 'both are here' do
          block {}
          wait_until { FlockOfChefs['#{there}'][:flock_api].active }
        end
        file '#{fleet.scratch('')}asked-by-#{here}' do
          content '#{here}'
          remote_notifies :run, 'execute[answer]', :immediately, node: '#{there}'
        end
        file '#{fleet.scratch('')}happy-#{here}' do
          wait_until { File.exist?('#{fleet.scratch('')}answered-by-#{there}') }
        end
      RECIPE
    end
    ready = %w(bender0 bender1).map { |node| fleet.start(node) }

    ready.each do |started|
      run = fleet.finish(started)
      assert run.success?, run.output
    end
    assert File.exist?(fleet.scratch('happy-bender0')) && File.exist?(fleet.scratch('happy-bender1'))
  end

  def test_locations_are_what_the_last_run_of_a_node_said
    victim
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      { recipe: 'recipes: "site"', both: 'recipes: "site", node: "bender1"', query: 'query: "name:bender1 AND recipes:site"',
        none: 'roles: "nobody"' }.each_key do |name|
        file "#{fleet.scratch('by-')}\#{name}" do
          content 'foobar'
          case name
          when :recipe then remote_notifies :run, 'execute[kill all humans]', :delayed, recipes: 'site', node: 'bender1'
          when :both then remote_notifies :run, 'execute[kill all humans]', :delayed, recipes: 'site', query: 'name:bender1'
          when :query then remote_notifies :run, 'execute[kill all humans]', :delayed, query: 'name:bender1 AND recipes:site'
          when :none then remote_notifies :run, 'execute[kill all humans]', :delayed, roles: 'nobody'
          end
        end
      end
    RECIPE

    output = converge('bender0')

    assert_match(/WARN: flock: not notified: run execute\[kill all humans\] on roles:nobody/, output)
    succeeded(3)
    assert_equal 3, fleet.lines('killed').size
  end

  def test_a_node_notifies_itself
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[self]', :immediately, node: 'bender0'
      end
      file '#{fleet.scratch('two')}' do
        wait_until { File.exist?('#{fleet.scratch('killed')}') }
      end
      execute 'self' do
        command '#{note('killed', 'self')}'
        action :nothing
      end
    RECIPE

    converge('bender0')

    assert_equal %w(self), fleet.lines('killed')
  end

  def test_a_run_is_asked_for_from_elsewhere
    fleet.recipe('bender1', "execute 'always' do\n  command '#{note('killed', 'ran')}'\nend\n")
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', "ruby_block('ask') { block { FlockOfChefs['bender1'][:flock_api].run_chef } }\n")

    converge('bender0')
    fleet.eventually('it ran') { fleet.lines('killed') == %w(ran) }
    fleet.eventually('it is over') { fleet.asked('bender0', 'call', 'bender1/flock_api', 'active') == [false] }

    assert_equal true, fleet.asked('bender0', 'call', 'bender1/flock_api', 'last').first['success']
  end

  def test_without_flockd_a_run_goes_on_with_a_warning_unless_it_is_required
    recipe = "file '#{fleet.scratch('fubar')}' do\n  content 'x'\n" \
             "  remote_notifies :run, 'execute[x]', :immediately, node: 'bender1'\nend\n"
    fleet.recipe('bender0', recipe, 'socket' => '/nonexistent/sock')
    assert_match(%r{WARN: flock: flockd cannot be reached on /nonexistent/sock}, converge('bender0'))

    fleet.recipe('bender0', recipe, 'socket' => '/nonexistent/sock', 'required' => true)
    refute fleet.converge('bender0').success?
  end

  def test_a_wish_that_is_none_is_refused_with_its_line
    fleet.recipe('bender0', <<~RECIPE)
      file '/nowhere' do
        remote_notifies :run, 'execute[x]', :later, node: 'bender1'
      end
    RECIPE

    run = fleet.converge('bender0')

    refute run.success?
    assert_match(%r{file\[/nowhere\] \(.*site/recipes/default.rb:1.*\): no timing: :later}, run.output)
  end

  def test_the_cookbooks_own_resources_notify_and_wait
    victim
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      flock_notify 'execute[kill all humans]' do
        location node: 'bender1'
      end
      flock_wait 'bender1' do
        for_state :idle
        timeout 60
      end
    RECIPE

    converge('bender0')

    killed?(1)
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

  def test_a_flockd_that_is_restarted_during_a_run_still_gives_it_what_comes
    fleet.recipe('bender1', <<~RECIPE)
      file '#{fleet.scratch('begun')}'
      30.times do |i|
        ruby_block "step \#{i}" do
          block { sleep 0.1 until i > 0 || File.exist?('#{fleet.scratch('go')}') }
          wait_until(0.2, timeout: 20) { File.exist?('#{fleet.scratch('killed')}') } if i == 29
        end
      end
      execute 'kill all humans' do
        command '#{note('killed', 'killed')}'
        action :nothing
      end
    RECIPE
    long = fleet.start('bender1')
    fleet.eventually('the long run has begun') { File.exist?(fleet.scratch('begun')) }

    fleet.restart('bender1')
    killer
    converge('bender0')
    go
    run = fleet.finish(long)

    assert run.success?, run.output
    assert_equal %w(killed), fleet.lines('killed')
    succeeded(1)
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

  def test_a_node_may_say_that_a_notification_is_a_full_run
    fleet.recipe('bender1', <<~RECIPE, 'run_on_notification' => 'full')
      execute 'always' do
        command '#{note('always', 'acted')}'
      end
      execute 'kill all humans' do
        command '#{note('killed', 'killed')}'
        action :nothing
      end
    RECIPE
    converge('bender1')
    fleet.starts_chef('bender1')
    killer

    converge('bender0')
    killed?(1)
    succeeded(1)

    assert_equal 2, fleet.lines('always').size
  end

  def test_one_notification_reaches_all_nodes_of_a_location
    fleet(3)
    %w(bender1 bender2).each do |node|
      fleet.recipe(node, <<~RECIPE)
        tag('robot')
        execute 'kill all humans' do
          command '#{note('killed', node)}'
          action :nothing
        end
      RECIPE
      2.times { converge(node) } # its tags are told at the start of the next run
      fleet.starts_chef(node)
    end
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[kill all humans]', :immediately, query: 'tags:robot', required: true
      end
    RECIPE

    converge('bender0')
    succeeded(2)

    assert_equal %w(bender1 bender2), fleet.lines('killed').sort
  end

  def test_the_cookbooks_recipes_say_what_they_would_do
    fleet.recipe('bender0', "include_recipe 'flock_of_chefs'\ninclude_recipe 'flock_of_chefs::example'\n",
                 'registry' => 'memory:', 'package' => '/nonexistent/flock.deb',
                 'config_file' => fleet.scratch('etc/flockd.conf'), 'service' => 'flockd-of-nobody')

    output = converge('bender0', '--why-run')

    assert_match(/Would create new file.*flockd.conf/, output)
    assert_includes output, 'Would notify run execute[kill all humans] on node:bender1'
    refute File.exist?(fleet.scratch('etc'))
  end
end
