# frozen_string_literal: true

module FlockOfChefs
  # The actions under way, as Chef's events tell of them: the ones of resources within others included. Knows why each
  # is performed: for which notification, if for any.
  class Actions
    Frame = Struct.new(:resource, :action, :notifier, :timing, :because, :outcome, :error)

    # receipts: answers [resource] with the notification that it stands for, or nil.
    def initialize(receipts)
      @receipts = receipts
      @frames = []
      @because = {}.compare_by_identity
    end

    def depth
      @frames.size
    end

    def under_way?(resource)
      @frames.any? { |f| f.resource.equal?(resource) }
    end

    def started(resource, action, timing, notifier)
      @frames.push(Frame.new(resource, action, notifier, timing, reason(resource, notifier)))
    end

    # The innermost action of a resource came to something.
    def came_to(resource, outcome, error = nil)
      frame = @frames.reverse_each.find { |f| f.resource.equal?(resource) }
      return unless frame

      frame.outcome = outcome
      frame.error = error
      frame
    end

    # Returns the frame that has ended, or nil.
    def completed(resource)
      index = @frames.rindex { |f| f.resource.equal?(resource) }
      return unless index

      frame = @frames.delete_at(index)
      @because[resource] = frame.because if frame.outcome == :updated
      frame
    end

    # Whose update led to the action of this resource that is under way.
    def notifier_of(resource)
      @frames.reverse_each.find { |f| f.resource.equal?(resource) }&.notifier
    end

    # The notification that made this resource what it is now.
    def because(resource)
      @because[resource]
    end

    private

    def reason(resource, notifier)
      @receipts[resource] || (notifier && (@receipts[notifier] || @because[notifier])) || @frames.last&.because
    end
  end
end
