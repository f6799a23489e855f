# frozen_string_literal: true

module FlockOfChefs
  # A node of the flock: FlockOfChefs['bender0'].
  class NodeProxy
    attr_reader :name

    def initialize(name)
      @name = name.to_s
    end

    # One of its actors: [:flock_api], or any that somebody published there.
    def [](actor)
      ActorProxy.new(@name, actor.to_s)
    end

    # What is known of it: state, roles, attributes and so on; nil if it cannot be asked for.
    def info
      FlockOfChefs.asking("node #{@name}") { |control| control.get("/v1/nodes/#{Control.escape(@name)}") }
    end

    def alive?
      FlockOfChefs.asking("node #{@name}") { |control| control.get("/v1/nodes/#{Control.escape(@name)}")['state'] } ==
        'alive'
    end

    def to_s
      @name
    end
  end

  # An actor of a node. Whatever it is called by is a method of the actor: .active, .run_chef, .fight(1). The answer
  # is nil, and there is a warning, if there is none by the deadline.
  class ActorProxy < BasicObject
    def initialize(node, actor)
      @node = node
      @actor = actor
    end

    def inspect
      "#<actor #{@node}/#{@actor}>"
    end

    def method_missing(method, *arguments)
      path = [@node, @actor, method].map { |name| ::FlockOfChefs::Control.escape(name) }.join('/')
      ::FlockOfChefs.asking("#{@node}/#{@actor} #{method}") do |control|
        control.post("/v1/call/#{path}", arguments)['result']
      end
    end

    def respond_to_missing?(*)
      true
    end
  end
end
