# frozen_string_literal: true

# Whom a notification reaches, whatever the names, and what is said where it reaches nobody.
class AddressingTest < AcceptanceCase
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
    refute_empty fleet.lines('killed') # the same, and wanted at once
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

  def test_a_wish_that_is_none_is_refused_with_its_line
    fleet.recipe('bender0', <<~RECIPE)
      file '/nowhere' do
        remote_notifies :run, 'execute[x]', :later, node: 'bender1'
      end
    RECIPE

    run = fleet.converge('bender0')
    refute run.success?
    assert_match(%r{file\[/nowhere\] \(.*site/recipes/default.rb:1.*\): no timing: :later}, run.output)

    fleet.recipe('bender0', <<~RECIPE)
      file '/nowhere' do
        remote_subscribes :create, 'execute[x]', nodes_of: 'planet express'
      end
    RECIPE
    assert_match(%r{file\[/nowhere\] \(.*site/recipes/default.rb:1.*\): no location: nodes_of}, fleet.converge('bender0').output)
  end

  def test_without_flockd_a_run_goes_on_with_a_warning_unless_it_is_required
    recipe = "file '#{fleet.scratch('fubar')}' do\n  content 'x'\n" \
             "  remote_notifies :run, 'execute[x]', :immediately, node: 'bender1'\nend\n"
    fleet.recipe('bender0', recipe, 'socket' => '/nonexistent/sock')
    assert_match(%r{WARN: flock: flockd cannot be reached on /nonexistent/sock}, converge('bender0'))

    fleet.recipe('bender0', recipe, 'socket' => '/nonexistent/sock', 'required' => true)
    refute fleet.converge('bender0').success?
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

  # With brackets and commas, in other scripts, and as long as a name may be.
  NAMES = ['kill[all], humans', 'убить всех людей €', 'x' * (4096 - 'execute[]'.size)].freeze

  def test_any_name_of_a_resource_is_found
    fleet.recipe('bender1', NAMES.each_with_index.map { |name, i| <<~RECIPE }.join)
      execute '#{name}' do
        command '#{note('killed', i)}'
        action :nothing
      end
    RECIPE
    converge('bender1')
    fleet.recipe('bender0', NAMES.each_with_index.map { |name, i| <<~RECIPE }.join)
      file '#{fleet.scratch('fubar')}#{i}' do
        content 'foobar'
        remote_notifies :run, 'execute[#{name}]', :immediately, node: 'bender1'
      end
    RECIPE

    converge('bender0')
    waits_at_bender1(NAMES.size)
    converge('bender1')

    succeeded(NAMES.size)
    assert_equal %w(0 1 2), fleet.lines('killed')
  end

  def test_roles_of_the_run_list_and_the_environment_of_the_configuration_are_locations
    fleet.role('bender1', 'robot')
    fleet.configure('bender0', 'environment = lab')
    fleet.configure('bender1', 'environment = lab')
    victim
    fleet.restart('bender0')
    fleet.starts_chef('bender1')
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[kill all humans]', :immediately, roles: 'robot', environment: 'lab'
      end
    RECIPE

    converge('bender0')

    killed?(1)
  end

  def test_nobody_is_a_failure_of_the_resource_if_somebody_is_required
    fleet.recipe('bender0', <<~RECIPE)
      file '#{fleet.scratch('fubar')}' do
        content 'foobar'
        remote_notifies :run, 'execute[x]', :immediately, roles: 'nobody', required: true
      end
    RECIPE

    run = fleet.converge('bender0')

    refute run.success?
    assert_includes run.output, 'flock: run execute[x] on roles:nobody: '
  end
end
