# frozen_string_literal: true

# wait_until and wait_while.
class WaitingTest < AcceptanceCase
  def test_waits_look_at_other_nodes_and_fail_in_time
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('one')}' do
        wait_until(0.1, timeout: 0.5) { FlockOfChefs['bender1'][:flock_api].active }
        ignore_failure true
      end
      file '#{fleet.scratch('again')}' do
        looks = 0
        wait_until(0.1, timeout: 0.3) { (looks += 1) > 6 }
        retries 3
        retry_delay 0
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
    assert_equal [false, true, true, false],
                 %w(one again two three).map { |name| File.exist?(fleet.scratch(name)) }
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
end
