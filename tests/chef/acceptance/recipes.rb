# frozen_string_literal: true

require_relative '../machine'
require_relative '../package'

# The cookbook's own recipes, and what is around a flockd that they made.
class RecipesTest < AcceptanceCase
  def test_the_cookbooks_recipes_say_what_they_would_do
    fleet.recipe('bender0', "include_recipe 'flock_of_chefs'\ninclude_recipe 'flock_of_chefs::example'\n",
                 'registry' => 'memory:', 'package' => '/nonexistent/flock.deb',
                 'config_file' => fleet.scratch('etc/flockd.conf'), 'service' => 'flockd-of-nobody')

    output = converge('bender0', '--why-run')

    assert_match(/Would create new file.*flockd.conf/, output)
    assert_includes output, 'Would notify run execute[kill all humans] on node:bender1'
    refute File.exist?(fleet.scratch('etc'))
  end

  NODE = 'zoidberg'

  def teardown
    if @machine && !passed? && ENV['CHEF_TEST_LOGS']
      puts @machine.log, @machine.run('sh', '-c', 'cat /var/log/flockd.log /var/lib/flock/chef-run.log; journalctl -u flockd')
    end
    @machine&.down
    super
  end

  # A node without a flockd, on a machine of its own.
  def machine(init)
    fleet(1)
    @machine = Machine.new(init, shared: fleet.folder)
    fleet.add(NODE, @machine)
    @package = Package.build(fleet.scratch('flock.deb'))
  rescue Machine::Impossible => e
    skip e.message
  end

  def flockd(config = {}, recipe = '')
    fleet.recipe(NODE, "include_recipe 'flock_of_chefs'\n#{recipe}",
                 'package' => @package, 'registry' => fleet.registry, 'port' => '0', 'required' => true,
                 'chef_command' => fleet.command(NODE).join(' '),
                 'config' => { 'insecure' => true,
                               'chef-lock' => "#{fleet.home(NODE, 'cache')}/chef-client-running.pid" }.merge(config))
  end

  def life
    status = fleet.asked(NODE, 'status').first
    status && status['incarnation']
  end

  # With systemd, and where Chef finds scripts in /etc/init.d instead, as in a container.
  %i[systemd none].each do |init|
    define_method("test_the_recipe_default_makes_a_node_of_a_machine_with_init_#{init}") do
      machine(init)
      flockd
      first = converge(NODE)
      assert_match(/install version .* of package/, first)
      assert_equal 0, fleet.flockctl('bender0', 'wait', "#{NODE}=alive").last
      before = life

      again = converge(NODE)
      assert_match(%r{ 0/\d+ resources updated}, again)
      assert_equal before, life

      flockd('role' => 'doctor')
      converge(NODE)
      refute_equal before, life
      assert_equal([NODE], fleet.asked(NODE, 'nodes', '--role', 'doctor').map { |n| n['id'] })
    end

    define_method("test_a_run_that_flockd_started_may_restart_it_with_init_#{init}") do
      machine(init)
      flockd
      converge(NODE)
      before = life

      flockd({ 'role' => 'doctor' }, "execute 'last' do\n  command '#{note('killed', 'last')}'\nend\n")
      assert_equal 0, fleet.flockctl(NODE, 'run-chef', '--node', NODE).last

      fleet.eventually('the run ends') { fleet.lines('killed') == %w(last) && fleet.idle?(NODE) }
      refute_equal before, life
      assert_equal true, fleet.last_run(NODE)['success']
    end
  end

  def test_a_node_that_the_recipe_made_is_notified
    machine(:systemd)
    flockd({}, target)
    converge(NODE)
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[kill all humans]', :immediately, node: '#{NODE}'
      end
    RECIPE

    converge('bender0')

    killed?(1)
    succeeded(1)
  end
end
