# frozen_string_literal: true

require 'minitest/autorun'
require_relative 'chef_double'

class WishTest < Minitest::Test
  def wish(action = :run, resource = 'execute[x]', timing = :immediately, location = { node: 'bender1' })
    FlockOfChefs::Wish.new(action, resource, timing, location)
  end

  def wrong(*arguments)
    assert_raises(ArgumentError) { wish(*arguments) }.message
  end

  def test_a_location_is_said_in_the_singular_or_the_plural
    assert_equal({ node: ['bender1'] }, wish.location)
    assert_equal({ roles: %w(web db), environment: 'production' },
                 wish(:run, 'execute[x]', :delayed, roles: %w(web db), environment: 'production').location)
    assert_equal wish(:run, 'execute[x]', :delayed, role: 'web').key, wish(:run, 'execute[x]', :delayed, roles: ['web']).key
  end

  def test_immediate_means_immediately
    assert_equal :immediately, wish(:run, 'execute[x]', :immediate).timing
    assert_equal :before, wish(:run, 'execute[x]', 'before').timing
  end

  def test_it_says_what_and_where_for_people
    assert_equal 'run execute[x] on roles:web AND query:a:b',
                 wish(:run, 'execute[x]', :delayed, role: 'web', query: 'a:b').to_s
  end

  def test_names_may_have_brackets_commas_spaces_and_any_letters
    ['execute[a[0],b]', 'execute[kill all humans]', 'file[/srv/größe]', "execute[#{'x' * 4087}]"].each do |name|
      assert_equal name, wish(:run, name).resource
    end
  end

  def test_a_name_in_another_encoding_is_the_same_name
    assert_equal 'file[/größe]', wish(:run, 'file[/größe]'.encode(Encoding::ISO_8859_1)).resource
  end

  def test_a_name_that_is_none_is_wrong
    assert_includes wrong(:run, 'execute'), 'type[name]'
    assert_includes wrong(:run, 'Execute[x]'), 'type[name]'
    assert_includes wrong(:run, nil), 'type[name]'
    assert_includes wrong(:run, "execute[#{'x' * 4096}]"), 'more than 4096'
    assert_includes wrong(:run, "execute[a\nb]"), 'print'
    assert_includes wrong(:run, "execute[\xFF]"), 'UTF-8'
  end

  def test_a_timing_or_an_action_that_is_none_is_wrong
    assert_includes wrong(:run, 'execute[x]', :later), ':immediately, :delayed and :before'
    assert_includes wrong('run it'), 'no action'
  end

  def test_a_location_that_is_none_is_wrong
    assert_includes wrong(:run, 'execute[x]', :delayed, {}), 'say node:'
    assert_includes wrong(:run, 'execute[x]', :delayed, any: true), 'say node:'
    assert_includes wrong(:run, 'execute[x]', :delayed, host: 'a'), 'no location: host'
    assert_includes wrong(:run, 'execute[x]', :delayed, node: []), 'empty'
    assert_includes wrong(:run, 'execute[x]', :delayed, node: ''), 'empty'
    assert_includes wrong(:run, 'execute[x]', :delayed, environment: %w(a b)), 'takes one'
    assert_includes wrong(:run, 'execute[x]', :delayed, node: 'a', any: 'maybe'), 'true or false'
  end

  def test_an_error_names_the_resource_and_the_line_of_the_recipe
    resource = Recipe.new('bender0').execute('here')

    failed = assert_raises(ArgumentError) { resource.remote_notifies(:run, 'execute[x]', :later, node: 'bender1') }

    assert_includes failed.message, 'execute[here] (site/recipes/default.rb:7): no timing: :later'
  end

  def test_a_wait_that_is_none_is_wrong
    resource = Recipe.new('bender0').execute('here')

    assert_includes assert_raises(ArgumentError) { resource.wait_until }.message, 'wait_until has no block'
    failed = assert_raises(ArgumentError) { resource.wait_while(0) { true } }
    assert_includes failed.message, 'execute[here] (site/recipes/default.rb:7): wait_while: the pause'
    assert_includes assert_raises(ArgumentError) { resource.wait_while(timeout: 'long') { true } }.message, 'the timeout'
  end
end
