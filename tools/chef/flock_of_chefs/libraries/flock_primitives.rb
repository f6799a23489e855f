# frozen_string_literal: true

require_relative 'flock_waiting'
require_relative 'flock_wish'

module FlockOfChefs
  # What every resource can do: included in Chef::Resource.
  module Primitives
    # When this resource is updated, that action is performed on each node of the location.
    #
    #   remote_notifies :run, 'execute[kill all humans]', :immediately, node: 'bender1'
    def remote_notifies(action, resource, timing = :immediately, location = {}, **more)
      wish = FlockOfChefs.wish(self, action, resource, timing, location, more)
      session = FlockOfChefs.session or return FlockOfChefs.without_session(self)
      notifies(:deliver, session.sender(wish, self), wish.timing)
    end

    # When that resource is updated on a node of the location, this one performs the action.
    #
    #   remote_subscribes :create, 'execute[kill all humans]', :immediately, node: 'bender0'
    def remote_subscribes(action, resource, timing = :immediately, location = {}, **more)
      wish = FlockOfChefs.wish(self, action, resource, timing, location, more)
      session = FlockOfChefs.session or return FlockOfChefs.without_session(self)
      session.subscribe(self, wish)
    end

    # Before its action is performed, and after its guards, this resource waits until the block is true. It is asked
    # again after each pause, in seconds; beyond the time-out the resource fails.
    def wait_until(pause = nil, timeout: nil, &block)
      FlockOfChefs.waits_of(self) << FlockOfChefs.wait(self, true, pause, timeout, block)
    end

    # The same, while the block is true.
    def wait_while(pause = nil, timeout: nil, &block)
      FlockOfChefs.waits_of(self) << FlockOfChefs.wait(self, false, pause, timeout, block)
    end
  end

  # Prepended to Chef::Resource: its guards come first, and nothing is waited for in why-run mode.
  module WaitsAfterGuards
    def should_skip?(action)
      skip = super
      FlockOfChefs.wait_for(self) unless skip || Chef::Config[:why_run]
      skip
    end
  end
end
