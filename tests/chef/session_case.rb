# frozen_string_literal: true

require 'minitest/autorun'
require_relative 'chef_double'
require_relative 'scripted_flockd'

# The library in a run, with a flockd that says what the test says.
class SessionCase < Minitest::Test
  RUN = '/v1/runs/life.chef1'

  def setup
    @flockd = ScriptedFlockd.new
    @done = []
  end

  def teardown
    @flockd.close
    ENV.delete('CHEF_FLOCK_RUN')
  end

  def recipe(settings = {}, attributes = {})
    @recipe = Recipe.new('bender0', { 'socket' => @flockd.path }.merge(settings), attributes)
    yield @recipe if block_given?
    @recipe
  end

  def execute(name, **options, &block)
    @recipe.execute(name, **options) do
      @done << name
      block&.call
    end
  end

  def told(what)
    @flockd.bodies("#{RUN}/#{what}")
  end

  def notification(number, resource, action = 'run')
    { 'notification' => number, 'id' => "fry-#{number}", 'resource' => resource, 'action' => action }
  end

  # Answers once what was asked may have come.
  def tell(*messages)
    messages.each { |message| @flockd.tell(message) }
  end
end
