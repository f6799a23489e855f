# frozen_string_literal: true

# How long things take, with the chef-client that CHEF_CLIENT names and the flockd that is first in PATH. By hand, on a
# machine that has nothing else to do: one JSON object a line, times in milliseconds, the median and the extremes of
# five repeats.
#
#   CHEF_CLIENT=/usr/bin/chef-client PATH=build/release/bin:$PATH ruby tests/chef/timings.rb [unused|during|between|at_once]...
require_relative 'chef_fleet'

class Timings
  REPEATS = 5
  # Of a recipe that is to show what a library costs that nobody uses.
  RESOURCES = 200
  FLOCK = 20

  def initialize
    abort 'CHEF_CLIENT names no chef-client' unless File.executable?(ChefFleet.client)
    @chef = IO.popen([ChefFleet.client, '--version'], err: File::NULL, &:read)[/\d+\.\d+\.\d+/]
  end

  def run
    (ARGV.empty? ? %i[unused during between at_once] : ARGV).each do |figure|
      @fleet = ChefFleet.new(nodes: 2)
      send(figure)
    ensure
      @fleet&.down
    end
  end

  private

  attr_reader :fleet

  def report(figure, values, **more)
    sorted = values.sort
    told = { figure: figure, unit: 'ms', median: sorted[sorted.size / 2], min: sorted.first, max: sorted.last,
             repeats: values.size, chef: @chef }
    puts JSON.generate(told.transform_values { |v| v.is_a?(Float) ? v.round(1) : v }.merge(more))
    $stdout.flush
  end

  def milliseconds
    before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    (Process.clock_gettime(Process::CLOCK_MONOTONIC) - before) * 1000
  end

  # Of the processes that the block waits for: what else the machine does matters less to it than to the time on a wall.
  def processor_milliseconds
    spent = -> { Process.times.then { |t| t.cutime + t.cstime } }
    before = spent.call
    yield
    (spent.call - before) * 1000
  end

  def converge(node)
    run = fleet.converge(node)
    raise run.output unless run.success?

    run
  end

  # Recipe code that writes down when it is reached, for all processes of this machine alike.
  def stamp(name)
    "::File.write('#{fleet.scratch(name)}', ::Time.now.to_f.to_s)"
  end

  def stamped(name)
    fleet.eventually("#{name} was reached") { File.size?(fleet.scratch(name)) }
    Float(File.read(fleet.scratch(name)))
  end

  def took(from, to)
    (stamped(to) - stamped(from)) * 1000
  end

  # Runs with and without the library one after the other: what a machine does otherwise meets both.
  def unused
    recipe = "#{RESOURCES}.times { |i| file(\"#{fleet.scratch('')}\#{i}\") { content i.to_s } }\n"
    ways = { with: {}, without: nil, switched_off: { 'enabled' => false } }
    use = ->(way) { way ? fleet.recipe('bender0', recipe, way) : fleet.recipe_without_library('bender0', recipe) }
    ways.each_value { |way| use.call(way) && converge('bender0') }
    runs = Array.new(REPEATS) { ways.transform_values { |way| use.call(way) && processor_milliseconds { converge('bender0') } } }
    report('a run without the library: processor time', runs.map { |r| r[:without] }, resources: RESOURCES)
    report('processor time added by a library that is not used', runs.map { |r| r[:with] - r[:without] }, resources: RESOURCES)
    report('processor time added by a library that is switched off', runs.map { |r| r[:switched_off] - r[:without] },
           resources: RESOURCES)
  end

  def target(name)
    <<~RECIPE
      ruby_block '#{name}' do
        block { #{stamp("#{name} started")} }
        action :nothing
      end
    RECIPE
  end

  def sender(name)
    <<~RECIPE
      ruby_block 'update for #{name}' do
        block { #{stamp("#{name} sent")} }
        remote_notifies :run, 'ruby_block[#{name}]', :immediately, node: 'bender1'
      end
    RECIPE
  end

  # So that each has the receiver for itself.
  def awaits(name)
    "ruby_block('after #{name}') { block { #{fleet.until_there(name)} } }\n"
  end

  # The receiver has a run under way and waits in it, so that no resource of its own is in the way.
  def during
    names = Array.new(REPEATS) { |i| "target #{i}" }
    fleet.recipe('bender1', names.map { |name| target(name) }.join + <<~RECIPE)
      ruby_block 'waits' do
        block {}
        wait_until(60, timeout: 120) { #{names.map { |n| "::File.exist?('#{fleet.scratch("#{n} started")}')" }.join(' && ')} }
      end
    RECIPE
    receiver = fleet.start('bender1')
    fleet.eventually('bender1 has a run under way') { !fleet.idle?('bender1') && fleet.runs('bender1') == 1 }
    fleet.recipe('bender0', names.map { |name| sender(name) + awaits("#{name} started") }.join)
    converge('bender0')
    fleet.finish(receiver)
    report('remote_notifies to action started, receiver in a run', names.map { |n| took("#{n} sent", "#{n} started") })
  end

  # The receiver is idle: its flockd starts a run. What Chef needs alone for one is told as well.
  def between
    fleet.recipe('bender1', target('target'))
    converge('bender1')
    alone = Array.new(REPEATS) { milliseconds { converge('bender1') } }
    report('a Chef run in which nothing acts', alone)
    # The moment at which flockd starts the command, by the same clock as the others.
    clock = "date +%s.%N > '#{fleet.scratch('chef started')}'"
    fleet.starts_chef('bender1', "#{clock}; exec #{fleet.command('bender1').join(' ')}")
    fleet.recipe('bender0', sender('target'))
    steps = Array.new(REPEATS) { one_between_runs }
    report('remote_notifies to action started, receiver between runs', steps.map { |s| s[:all] })
    report('of it: until its flockd starts Chef', steps.map { |s| s[:flock] })
    report('of it: until the action, in Chef', steps.map { |s| s[:all] - s[:flock] })
  end

  def one_between_runs
    FileUtils.rm_f([fleet.scratch('target started'), fleet.scratch('chef started'), fleet.scratch('target sent')])
    converge('bender0')
    all = took('target sent', 'target started')
    rest
    { all: all, flock: took('target sent', 'chef started') }
  end

  # Until it has nothing to do any more.
  def rest
    fleet.eventually('bender1 is idle') { fleet.idle?('bender1') }
    fleet.eventually('the Chef of bender1 has ended') { fleet.chef_ended?('bender1') }
  end

  def at_once
    fleet.recipe('bender1', Array.new(FLOCK) { |i| target("target #{i}") }.join)
    converge('bender1')
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', Array.new(FLOCK) { |i| sender("target #{i}") }.join)
    rounds = Array.new(REPEATS) { one_round_at_once }
    report('20 notifications at once to an idle node: the last action started', rounds.map { |r| r[:last] },
           runs_started: rounds.map { |r| r[:runs] }, lost: rounds.sum { |r| r[:lost] })
  end

  def one_round_at_once
    before = fleet.runs('bender1')
    already = succeeded
    names = Array.new(FLOCK) { |i| "target #{i}" }
    names.each { |n| FileUtils.rm_f(fleet.scratch("#{n} started")) }
    converge('bender0')
    starts = names.map { |n| stamped("#{n} started") }
    rest
    fleet.eventually('all are over') { succeeded == already + FLOCK }
    { last: (starts.max - stamped('target 0 sent')) * 1000, runs: fleet.runs('bender1') - before,
      lost: already + FLOCK - succeeded }
  end

  def succeeded
    fleet.asked('bender0', 'notifications').count { |n| n['state'] == 'succeeded' }
  end
end

Timings.new.run
