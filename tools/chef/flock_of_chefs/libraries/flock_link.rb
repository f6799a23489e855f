# frozen_string_literal: true

require_relative 'flock_control'

module FlockOfChefs
  # What connects this run with flockd: the stream that lasts as long as the run, and what is said beside it. flockd may
  # be away, come back, or hang; then there is no link for a while.
  class Link
    # How often a lost flockd is looked for again, in seconds.
    PATIENCE = 2
    # For so long one that did not answer in time is left alone: each question to it would cost its whole time-out.
    STALLED = 60

    # about: says what a run begins with.
    def initialize(control, seconds, &about)
      @control = control
      @seconds = seconds
      @about = about
      @early = []
      @next_try = Deadline.now
    end

    def open?
      !@stream.nil? && @stream.open?
    end

    # The same, after a look at what has come: it may have ended without anybody having noticed yet.
    def still_open?
      @early += @stream.messages if open?
      open?
    end

    def may_try?
      Deadline.now >= @next_try
    end

    # Whatever was learned before: there is news of flockd.
    def try_now
      @next_try = Deadline.now
    end

    # Begins the run. Raises Error.
    def open
      @next_try = Deadline.now + PATIENCE
      @stream = @control.follow('/v1/runs', @about.call)
      @run = first_message['run']
      try_now # should it be lost: it may be back at once
    rescue Error => e
      close
      @next_try = Deadline.now + STALLED if e.code == 'maybe_done'
      raise
    end

    # Says something of the run. Raises Error.
    def tell(what, body)
      @control.post("/v1/runs/#{Control.escape(@run)}/#{what}", body)
    rescue Error => e
      if e.code == 'maybe_done'
        close
        @next_try = Deadline.now + STALLED
      end
      raise
    end

    # What has come for the run since the last time; never waits.
    def messages
      return [] unless open?

      come = @early + @stream.messages
      @early = []
      come
    end

    # Until something comes, but no longer than this; true if it did.
    def wait(seconds)
      return true unless @early.empty?

      open? ? @stream.wait(seconds) && true : sleep(seconds) && false
    end

    def close
      @stream&.close
      @stream = nil
    end

    private

    def first_message
      until_ = Deadline.new(@seconds)
      until until_.over?
        first, *@early = @stream.messages
        return first if first
        break unless @stream.open?

        @stream.wait(until_.left)
      end
      raise Error.new('maybe_done', "flockd did not begin the run on #{@control.path}")
    end
  end
end
