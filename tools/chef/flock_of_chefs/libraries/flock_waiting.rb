# frozen_string_literal: true

require_relative 'flock_control'

module FlockOfChefs
  # What a resource waited for did not come true in time: a failure of that resource, which its retries and
  # ignore_failure apply to.
  class WaitTimeout < StandardError; end

  # wait_until or wait_while of a resource: what was asked for.
  Wait = Struct.new(:until_true, :pause, :timeout, :block)

  # Holds a resource back. Meanwhile what others notify this node of is performed, so that two nodes may wait for each
  # other's reactions.
  class Waiting
    # For so long flockd may be away, in seconds: it may just be restarting. Then nothing is waited for any more.
    ABSENCE = 10

    def initialize(session, resource, wait)
      @session = session
      @resource = resource
      @wait = wait
      @pause = wait.pause || session.settings.wait_pause
      @timeout = wait.timeout || session.settings.wait_timeout
    end

    def run
      until_ = Deadline.new(@timeout)
      until may_go?
        raise WaitTimeout, "#{@resource}: #{what} did not come to an end within #{@timeout} s" if until_.over?

        @session.perform_while_waiting([@pause, until_.left].min)
      end
    end

    private

    def what
      @wait.until_true ? 'wait_until' : 'wait_while'
    end

    # What nobody can tell, such as the state of a node out of reach, is waited for.
    def may_go?
      held = FlockOfChefs.raising { @wait.block.call }
      @absent_since = nil
      @wait.until_true ? held : !held
    rescue Absent => e
      given_up?(e)
    rescue Error => e
      Chef::Log.debug("flock: #{@resource}: #{what}: #{e.message}")
      false
    end

    def given_up?(why)
      @absent_since ||= Deadline.now
      return false if Deadline.now - @absent_since < ABSENCE

      @session.degrade("#{@resource} waits no longer: #{why.message}")
      true
    end
  end
end
