# frozen_string_literal: true

require_relative 'flock_configuration'
require_relative 'flock_events'
require_relative 'flock_internal_resources'
require_relative 'flock_primitives'
require_relative 'flock_proxies'
require_relative 'flock_session'

# Resources that notify and are notified across machines; see the cookbook's README. Talks to the local flockd only.
module FlockOfChefs
  @waits = {}.compare_by_identity

  class << self
    # The present run; nil where there is none, as in a unit test of somebody's recipe.
    attr_reader :session

    # A run begins: from now on the flock is told of it.
    def attach(run_context)
      @waits.clear
      @session = Session.new(run_context)
      return @session unless @session.settings.enabled?

      run_context.events.register(Events.new(@session))
      @session
    end

    # Once, however often the library is loaded.
    def install(resource_class)
      resource_class.include(Primitives) unless resource_class.include?(Primitives)
      resource_class.prepend(WaitsAfterGuards) unless resource_class.include?(WaitsAfterGuards)
    end

    def [](node)
      NodeProxy.new(node)
    end

    # The nodes that match, as Chef's search says it: 'role:web AND chef_environment:production'.
    def search(query)
      found = asking("search #{query}") { |control| control.get("/v1/nodes#{Control.query('query' => query)}")['nodes'] }
      Array(found).map { |n| NodeProxy.new(n['node'] || n['id']) }
    end

    # remote_notifies for Ruby code, such as the block of a ruby_block. Returns whether it was sent.
    def notify(action, resource, **location)
      send_wish(Wish.new(action, resource, :immediately, location))
    end

    # Asks flockd. What fails is a warning and nil, unless raising() wants to know.
    def asking(what)
      yield session ? session.control : Control.new(Settings.new.socket)
    rescue Error => e
      raise if @raising

      session ? session.degrade("#{what}: #{e.message}") : Chef::Log.warn("flock: #{what}: #{e.message}")
      nil
    end

    # Errors of what is asked inside are raised.
    def raising
      before = @raising
      @raising = true
      yield
    ensure
      @raising = before
    end

    # For the library and the cookbook.

    def flockd_answers?
      raising { asking('flockd') { |control| control.get('/v1/status') } }
      session&.flockd_came
      true
    rescue Error
      false
    end

    # Until flockd answers; no more than these seconds. Nothing is said of it before.
    def await_flockd(seconds)
      until_ = Deadline.new(seconds)
      begin
        raising { asking('flockd') { |control| control.get('/v1/status') } }
        session&.flockd_came
      rescue Absent => e
        return session&.degrade("flockd does not answer: #{e.message}") if until_.over?

        sleep([0.1, until_.left].min)
        retry
      end
    end

    def send_wish(wish)
      session ? session.send_wish(nil, wish) : without_session(wish)
    end

    # Waits in the middle of an action, until the block is true.
    def wait_here(resource, pause, timeout, &block)
      return without_session(resource) unless session
      return unless session.settings.enabled? && !Chef::Config[:why_run]

      session.wait_for(resource, wait(resource, true, pause, timeout, block))
    end

    def wish(resource, action, target, timing, location, more)
      timing, location = :immediately, timing if timing.is_a?(Hash) # remote_notifies :run, 'x[y]', { node: 'z' }
      Wish.new(action, target, timing, location.merge(more))
    rescue ArgumentError => e
      raise ArgumentError, "#{place(resource)}: #{e.message}"
    end

    def wait(resource, until_true, pause, timeout, block)
      called = until_true ? 'wait_until' : 'wait_while'
      raise ArgumentError, "#{place(resource)}: #{called} has no block" unless block

      { 'pause' => pause, 'timeout' => timeout }.each do |name, seconds|
        next if seconds.nil? || (seconds.is_a?(Numeric) && seconds.positive?)

        raise ArgumentError, "#{place(resource)}: #{called}: the #{name} is a number of seconds, not #{seconds.inspect}"
      end
      Wait.new(until_true, pause, timeout, block)
    end

    def waits_of(resource)
      @waits[resource] ||= []
    end

    def wait_for(resource)
      waits = @waits[resource]
      return if waits.nil? || session.nil? || !session.settings.enabled?

      waits.each { |wait| session.wait_for(resource, wait) }
    end

    def without_session(what)
      Chef::Log.warn("flock: #{what}: there is no Chef run that the flock knows of; nothing will be sent or received")
      false
    end

    private

    def place(resource)
      line = resource.respond_to?(:source_line) && resource.source_line
      line ? "#{resource} (#{line})" : resource.to_s
    end
  end
end

FlockOfChefs.install(Chef::Resource)
FlockOfChefs.attach(Chef.run_context) if Chef.respond_to?(:run_context) && Chef.run_context
