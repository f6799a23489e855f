# frozen_string_literal: true

require 'minitest/autorun'
require_relative 'chef_double'

class ActionsTest < Minitest::Test
  def setup
    @receipts = {}.compare_by_identity
    @actions = FlockOfChefs::Actions.new(@receipts)
  end

  def perform(resource, notifier: nil, outcome: :updated)
    @actions.started(resource, :run, nil, notifier)
    yield if block_given?
    @actions.came_to(resource, outcome)
    @actions.completed(resource)
  end

  def test_actions_within_others_are_counted_until_they_end
    perform(:outer) do
      perform(:inner) { assert_equal 2, @actions.depth }
      assert @actions.under_way?(:outer)
      refute @actions.under_way?(:inner)
    end

    assert_equal 0, @actions.depth
  end

  def test_a_cause_is_handed_on_from_update_to_update
    @receipts[:receipt] = 7
    perform(:receipt)
    perform(:target, notifier: :receipt) { perform(:inner) }
    perform(:chained, notifier: :target)

    assert_equal([7, 7, 7], %i[target inner chained].map { |r| @actions.because(r) })
  end

  def test_what_was_not_updated_hands_no_cause_on
    @receipts[:receipt] = 7
    perform(:target, notifier: :receipt, outcome: :up_to_date)

    assert_nil @actions.because(:target)
  end

  def test_a_later_update_without_a_cause_has_none
    @receipts[:receipt] = 7
    perform(:target, notifier: :receipt)
    perform(:target)

    assert_nil @actions.because(:target)
  end

  def test_what_nobody_started_ends_nothing
    assert_nil @actions.came_to(:stranger, :updated)
    assert_nil @actions.completed(:stranger)
  end
end
