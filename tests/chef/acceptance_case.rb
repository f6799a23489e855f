# frozen_string_literal: true

require 'minitest/autorun'
require_relative 'chef_fleet'

# Recipes on two or three nodes, run by a real chef-client.
class AcceptanceCase < Minitest::Test
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

  # Of a recipe: a resource that only acts when it is notified.
  def target(more = '')
    <<~RESOURCE
      execute 'kill all humans' do
        command '#{note('killed', 'killed')}'
        action :nothing
        #{more}
      end
    RESOURCE
  end

  # The same, and it notifies another one.
  def buried_target
    target("notifies :run, 'execute[bury]', :immediately") + <<~RESOURCE
      execute 'bury' do
        command '#{note('killed', 'buried')}'
        action :nothing
      end
    RESOURCE
  end

  # Of a recipe: it goes on when the file `go` is there.
  def long_step
    <<~RESOURCE
      file '#{fleet.scratch('begun')}'
      ruby_block 'long' do
        block { #{fleet.until_there('go')} }
      end
    RESOURCE
  end

  def has_begun
    fleet.eventually('the long run has begun') { File.exist?(fleet.scratch('begun')) }
  end

  # Declares, on bender1, a resource that only acts when it is notified.
  def victim
    fleet.recipe('bender1', <<~RECIPE)
      #{target}
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

  # As many notifications of bender0, and no others, have come to a good end.
  def succeeded(times)
    fleet.eventually("#{times} receipts") do
      fleet.asked('bender0', 'notifications').count { |n| n['state'] == 'succeeded' } == times
    end
  end

  # A notification of bender0 that came to a bad end.
  def failed_receipt
    fleet.eventually('a failed receipt') do
      fleet.asked('bender0', 'notifications').find { |n| n['state'] == 'failed' }
    end
  end

  # The notifications of bender1 that wait there for a Chef run.
  def waits_at_bender1(many = 1)
    fleet.eventually("#{many} wait") { fleet.asked('bender1', 'status').first['chef']['waiting'] == many }
  end

  # bender1 is in the middle of a long run, and goes on when the file `go` is there.
  def slow_run(more = '')
    fleet.recipe('bender1', <<~RECIPE)
      #{long_step}
      execute 'last' do
        command '#{note('killed', 'last')}'
      end
      #{buried_target}
      #{more}
    RECIPE
    started = fleet.start('bender1')
    has_begun
    started
  end

  def go
    File.write(fleet.scratch('go'), '')
  end
end
