# frozen_string_literal: true

require_relative 'flock_declaration'

module FlockOfChefs
  # The notifications that came for this run: finds their targets, and remembers what became of them.
  class Incoming
    # What came, as two resources: the one that stands for it, and the one that it is for.
    Arrival = Struct.new(:receipt, :target)

    # answer: is given the number of a notification and what became of it.
    def initialize(&answer)
      @answer = answer
      @receipts = {}.compare_by_identity # numbers, by the resources that stand for them
      @ids = {}                          # by their numbers
      @performed = {}                    # by their ids: what flockd was told, should it ask again
    end

    # The number of the notification that a resource stands for, or nil.
    def [](resource)
      @receipts[resource]
    end

    # Returns an Arrival, or nil if it is answered already.
    def take(message, run_context)
      number, id, name, action = message.values_at('notification', 'id', 'resource', 'action')
      return repeat(number, @performed[id]) if @performed[id]

      target = find(name, run_context)
      return refuse(number, "#{name} is not in this run") unless target
      return refuse(number, "#{target} has no action #{action}") unless target.allowed_actions.map(&:to_s).include?(action)

      @ids[number] = id unless id.to_s.empty?
      # Chef keeps notifications by the name of who sends them: no two may have the same.
      receipt = ReceiptResource.new("#{action} #{name} for #{@ids[number] || number}", run_context)
      receipt.notifies(action.to_sym, target, :immediately)
      @receipts[receipt] = number
      Arrival.new(receipt, target)
    end

    # The action that this frame tells of was the one of a notification, and has ended.
    def ended(frame)
      number = frame.notifier && @receipts[frame.notifier]
      return unless number

      told = { 'outcome' => (frame.outcome || :skipped).to_s, 'error' => frame.error&.message.to_s[0, 4096] }
      @performed[@ids[number]] = told if @ids[number]
      @answer.call(number, told)
    end

    private

    def repeat(number, told)
      @answer.call(number, told)
      nil
    end

    def refuse(number, why)
      @answer.call(number, 'outcome' => 'failed', 'error' => why)
      nil
    end

    # By its whole name: names may have brackets and commas, which Chef's own search takes apart.
    def find(name, run_context)
      found = nil
      run_context.resource_collection.each { |r| found = r if Declaration.known_as(r).include?(name) }
      found
    end
  end
end
