# frozen_string_literal: true

# What a run sends, and when: Chef's own rules for notifies.
class SendingTest < AcceptanceCase
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

  def custom_resource(name, unified:)
    fleet.custom_resource('bender0', name, <<~RESOURCE)
      provides :#{name}
      unified_mode #{unified}
      property :path, String, name_property: true
      action :build do
        file new_resource.path do
          content 'robot'
          remote_notifies :run, 'execute[kill all humans]', :immediately, node: 'bender1'
        end
      end
    RESOURCE
  end

  def test_custom_resources_notify_from_within_and_by_themselves
    victim
    fleet.starts_chef('bender1')
    custom_resource('robot', unified: true)
    custom_resource('android', unified: false)
    fleet.recipe('bender0', <<~RECIPE)
      robot '#{fleet.scratch('bender')}' do
        remote_notifies :run, 'execute[kill all humans]', :delayed, node: 'bender1'
      end
      android '#{fleet.scratch('flexo')}'
    RECIPE

    converge('bender0')

    # Two from within and a delayed one of the resource itself: some may have waited together.
    succeeded(3)
    refute_empty fleet.lines('killed')
  end

  def test_a_resource_is_watched_under_each_of_its_names
    fleet.custom_resource('bender0', 'robot', <<~RESOURCE)
      resource_name :robot
      provides :robot
      provides :android
      action :build do
        converge_by('build') {}
      end
    RESOURCE
    fleet.recipe('bender1', %w(robot android).map { |name| <<~RECIPE }.join)
      execute '#{name} was built' do
        command '#{note('killed', name)}'
        action :nothing
        remote_subscribes :run, '#{name}[bender]', :immediately, node: 'bender0'
      end
    RECIPE
    converge('bender1')
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', "android 'bender'\n")
    fleet.eventually('bender0 knows') { fleet.connected?('bender0', 'bender1') }

    converge('bender0')
    succeeded(2)

    assert_equal %w(android robot), fleet.lines('killed').sort
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
end
