# frozen_string_literal: true

# As much of Chef as the library touches, in the order in which Chef does things; for tests without a Chef.
# Source: what Chef 16 to 19 do, as told in docs/chef.md and by tests/chef/acceptance_test.rb
class Chef
  Config = {} # rubocop:disable Style/MutableConstant

  module Log
    class << self
      def lines
        @lines ||= []
      end

      %i[debug info warn error].each do |level|
        define_method(level) { |text| lines << "#{level}: #{text}" }
      end

      def warnings
        lines.select { |line| line.start_with?('warn: ') }
      end
    end
  end

  module EventDispatch
    class Base
    end

    # Like Chef's, it raises what a listener raises.
    class Dispatcher
      def initialize
        @listeners = []
      end

      def register(listener)
        @listeners << listener
      end

      def method_missing(event, *arguments)
        @listeners.each { |l| l.public_send(event, *arguments) if l.respond_to?(event) }
      end

      def respond_to_missing?(*)
        true
      end
    end
  end

  class Node
    attr_accessor :name, :chef_environment

    def initialize(name, attributes = {})
      @name = name
      @chef_environment = '_default'
      @attributes = attributes
    end

    def [](name)
      @attributes[name]
    end

    def read(*path)
      path.inject(@attributes) { |inner, name| inner.is_a?(Hash) ? inner[name] : nil }
    end
  end

  class Resource
    Notification = Struct.new(:resource, :action, :notifying_resource)

    class << self
      attr_reader :actions

      def inherited(other)
        super
        other.instance_variable_set(:@actions, {})
      end

      def provides(name)
        @type = name
      end

      def type
        @type || superclass.type
      end

      def default_action(name = nil)
        @default_action = name if name
        @default_action
      end

      def action(name, &block)
        @actions[name] = block
      end
    end

    attr_reader :name, :run_context
    attr_accessor :source_line, :retries, :ignore_failure, :guard, :declared_type, :cookbook_name, :recipe_name

    def initialize(name, run_context)
      @name = name
      @run_context = run_context
      @retries = 0
    end

    def to_s
      "#{self.class.type}[#{name}]"
    end

    def declared_key
      "#{declared_type || self.class.type}[#{name}]"
    end

    def action(*given)
      @action = given.first unless given.empty?
      @action || self.class.default_action
    end

    def allowed_actions
      [:nothing] + self.class.actions.keys
    end

    def notifies(action, resource, timing)
      run_context.notifications(timing, self) << Notification.new(resource, action, self)
    end

    def updated_by_last_action?
      @updated
    end

    def converge_by(_what)
      return @updated = true if Config[:why_run]

      yield
      @updated = true
    end

    def new_resource
      self
    end

    def should_skip?(action)
      return true if action == :nothing || (guard && !guard.call)

      false
    end

    def run_action(action, timing = nil, notifier = nil)
      events = run_context.events
      events.resource_action_start(self, action, timing, notifier)
      @updated = false
      left = retries
      begin
        return events.resource_skipped(self, action, nil) if should_skip?(action)

        instance_exec(&self.class.actions.fetch(action))
        @updated ? events.resource_updated(self, action) : events.resource_up_to_date(self, action)
      rescue StandardError => e
        retry if (left -= 1) >= 0
        events.resource_failed(self, action, e)
        raise unless ignore_failure
      end
    ensure
      events.resource_completed(self)
    end
  end

  class Runner
    def initialize(context)
      @context = context
    end

    def run_action(resource, action, timing = nil, notifier = nil)
      look_ahead(resource, action, timing, notifier)
      resource.run_action(action, timing, notifier)
      return unless resource.updated_by_last_action?

      @context.notifications(:immediately, resource).each { |n| run_action(n.resource, n.action, :immediate, resource) }
      @context.notifications(:delayed, resource).each { |n| @context.add_delayed_action(n) }
    end

    def converge
      @context.resource_collection.execute { |resource| run_action(resource, resource.action) }
    rescue StandardError => e
      @context.delayed_actions.each { |n| run_action(n.resource, n.action, :delayed) }
      raise e
    else
      @context.delayed_actions.each { |n| run_action(n.resource, n.action, :delayed) }
    end

    private

    def look_ahead(resource, action, timing, notifier)
      before = @context.notifications(:before, resource)
      return if before.empty?

      Config[:why_run] = true
      begin
        resource.run_action(action, timing, notifier)
      ensure
        Config[:why_run] = false
      end
      before.each { |n| run_action(n.resource, n.action, :before, resource) } if resource.updated_by_last_action?
    end
  end

  class Collection
    include Enumerable

    def initialize
      @all = []
    end

    def <<(resource)
      @all << resource
    end

    # Behind the present one, and what was inserted there before.
    def insert(resource)
      @all.insert(@at += 1, resource)
    end

    def each(&block)
      @all.each(&block)
    end

    def execute
      index = 0
      while index < @all.size
        @at = index
        yield @all[index]
        index += 1
      end
    end
  end

  class RunContext
    attr_reader :node, :events, :resource_collection, :runner, :delayed_actions

    def initialize(node)
      @node = node
      @events = EventDispatch::Dispatcher.new
      @resource_collection = Collection.new
      @runner = Runner.new(self)
      @delayed_actions = []
      @notifications = {}
    end

    # By the name of who notifies, as in Chef.
    def notifications(timing, resource)
      %i[immediately delayed before].include?(timing) or raise ArgumentError, timing.to_s
      @notifications[[timing, resource.declared_key]] ||= []
    end

    def root_run_context
      self
    end

    def add_delayed_action(notification)
      known = @delayed_actions.any? { |n| n.resource.equal?(notification.resource) && n.action == notification.action }
      @delayed_actions << notification unless known
    end
  end
end

require_relative '../../tools/chef/flock_of_chefs/libraries/flock_of_chefs'

# A recipe of one node, and its run.
class Recipe
  # Does what its block does.
  class Execute < Chef::Resource
    provides :execute
    default_action :run
    attr_accessor :work

    action(:run) { converge_by("run #{name}") { work&.call } }
    action(:idle) {}
  end

  attr_reader :context, :session

  def initialize(name, settings = {}, attributes = {})
    Chef::Config.clear
    Chef::Log.lines.clear
    @context = Chef::RunContext.new(Chef::Node.new(name, attributes.merge('flock_of_chefs' => settings)))
    @session = FlockOfChefs.attach(@context)
  end

  # Declares execute[name], which acts and is then updated.
  def execute(name, action: :run, &work)
    resource = Execute.new(name, @context)
    resource.action(action)
    resource.source_line = 'site/recipes/default.rb:7'
    resource.work = work
    @context.resource_collection << resource
    resource
  end

  def converge(why_run: false)
    Chef::Config[:why_run] = why_run
    @context.events.attribute_load_complete
    @context.events.converge_start(@context)
    @context.runner.converge
    @context.events.run_completed(@context.node, nil)
  rescue StandardError => e
    @context.events.run_failed(e, nil)
    raise
  end
end
