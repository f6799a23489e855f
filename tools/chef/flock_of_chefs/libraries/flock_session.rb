# frozen_string_literal: true

require_relative 'flock_actions'
require_relative 'flock_declaration'
require_relative 'flock_incoming'
require_relative 'flock_link'
require_relative 'flock_settings'
require_relative 'flock_waiting'

module FlockOfChefs
  # flockd is needed (node['flock_of_chefs']['required']), or somebody who was told that he must be there, and is not.
  class Required < StandardError; end

  # One Chef run as a part of the flock: tells flockd of the run and its resources, sends what they notify, and takes
  # what comes for them. All on Chef's own thread. Nothing here raises into the run, unless flockd is required.
  class Session
    # For the notifications for which flockd started this run to come in, in seconds. They are there unless another run
    # was faster.
    FIRST_WAIT = 2

    attr_reader :settings, :control, :link

    def initialize(run_context)
      @context = run_context
      @settings = Settings.new(run_context.node)
      @control = Control.new(@settings.socket, seconds: @settings.call_timeout)
      @link = Link.new(@control, @settings.call_timeout) do
        Declaration.about(@context.node, @settings.published, why_run?)
      end
      @incoming = Incoming.new { |number, told| performed(number, told) }
      @actions = Actions.new(@incoming)
      @senders = {} # by the wish's key
      @wishes = {}.compare_by_identity    # of the senders
      @wanted_by = {}.compare_by_identity # resources, of the senders
      @updated = {}.compare_by_identity
      @subscriptions = []
      @begun = false
      @delayed_phase = false
      @started_for = ENV.delete('CHEF_FLOCK_RUN') # what this run starts is not started by flockd
    end

    def why_run?
      Chef::Config[:why_run] ? true : false
    end

    # Started by flockd for what was notified, and for nothing else.
    def notified_only?
      @started_for == 'notified' && @settings.notified_only?
    end

    # Which resource stands for the notification of this wish: one for each wish, so that Chef sends it once.
    def sender(wish, resource)
      sender = @senders[wish.key] ||= NotificationResource.new(wish.to_s, root)
      @wishes[sender] = wish
      (@wanted_by[sender] ||= []) << resource
      sender
    end

    def subscribe(resource, wish)
      @subscriptions << [resource, wish]
      subscribe_late(resource, wish) if @begun
    end

    # Sends what a resource wants; true if it was sent.
    def send_wish(sender, wish = @wishes[sender])
      return false unless @settings.enabled?

      body = { 'action' => wish.action, 'resource' => wish.resource }.merge(wish.location.transform_keys(&:to_s))
      answered = @link.open? ? @link.tell('notify', body.merge(cause_of(sender))) : @control.post('/v1/notify?wait=queued', body)
      report_targets(wish, answered['notifications'])
      true
    rescue Error => e
      missed(wish, e)
      false
    end

    # Events of the run.

    def attributes_known
      @missing = connect
    end

    def converge_started(context)
      @context = context
      @begun = true
      degrade("#{@missing.message}; this run goes on without it") if @missing && !brings_flockd?
      skip_all if notified_only? && @link.open?
      declare
      take_first if notified_only?
    end

    def action_started(resource, action, timing, notifier)
      @delayed_phase = true if timing.to_s == 'delayed' && @actions.depth.zero?
      @actions.started(resource, action, timing, notifier)
    end

    def action_came_to(resource, outcome, error = nil)
      frame = @actions.came_to(resource, outcome, error)
      return if why_run? || Declaration.internal?(resource)

      @updated[resource] = frame if outcome == :updated
      report(resource, frame, outcome, error) if frame && %i[updated failed].include?(outcome)
    end

    def action_completed(resource)
      frame = @actions.completed(resource)
      return if why_run? # also for a moment only, to find out whether a :before is due

      @incoming.ended(frame) if frame
      between_resources if @begun && @actions.depth.zero?
    end

    def ended(success, error = nil)
      @link.tell('end', 'success' => success, 'error' => error&.message.to_s[0, 4096]) if @link.open?
    rescue Error => e
      Chef::Log.debug("flock: the end of the run was not told: #{e.message}")
    ensure
      @link.close
    end

    # It answers, and may have been away.
    def flockd_came
      return if @link.still_open?

      @link.try_now
      reconnect
    end

    # Holds a resource back until the block says so. Raises WaitTimeout.
    def wait_for(resource, wait)
      Waiting.new(self, resource, wait).run
    end

    # Performs what has come, from within a waiting resource. On Chef's own thread, outside of its events.
    def perform_while_waiting(seconds)
      reconnect unless @link.open?
      return unless @link.wait(seconds)

      arrivals.each do |arrival|
        if @actions.under_way?(arrival.target)
          add_delayed(arrival.receipt)
        else
          run_now(arrival.receipt)
        end
      end
    end

    # Degrades: a warning, or an error where flockd is required.
    def degrade(what)
      raise Required, "flock: #{what}" if @settings.required?

      Chef::Log.warn("flock: #{what}")
    end

    private

    def root
      @context.root_run_context
    end

    # With flockd.

    # Returns why not, or nil.
    def connect
      @link.open if @settings.enabled?
      nil
    rescue Error => e
      e
    end

    # This run installs it: until then there is none.
    def brings_flockd?
      @context.resource_collection.any? { |r| r.cookbook_name.to_s == 'flock_of_chefs' && r.recipe_name.to_s == 'default' }
    end

    # flockd was away: it is told of the run once more. While it is, whoever needs it says so.
    def reconnect
      return unless @begun && @settings.enabled? && @link.may_try?

      why = connect
      return declare unless why

      Chef::Log.debug("flock: #{why.message}")
    end

    def declare
      return unless @link.open?

      kept = true
      Declaration.parts(Declaration.resources(@context.resource_collection)).each_with_index do |part, i|
        body = { 'resources' => part, 'add' => i.positive? }
        body['subscribes'] = @subscriptions.map { |resource, wish| Declaration.subscription(resource, wish) } if i.zero?
        kept = false if @link.tell('resources', body)['durable'] == false
      end
      Chef::Log.warn('flock: the disk of flockd is full: if it restarts it forgets what this run declares') unless kept
    rescue Error => e
      degrade("the resources were not declared: #{e.message}")
    end

    # Custom resources are compiled while the run converges.
    def subscribe_late(resource, wish)
      return unless @link.open? && !why_run?

      @link.tell('resources', 'resources' => [], 'add' => true, 'subscribes' => [Declaration.subscription(resource, wish)])
    rescue Error => e
      degrade("#{resource} does not subscribe: #{e.message}")
    end

    # Subscribers elsewhere may wait for it, and `flockctl resources` shows it.
    def report(resource, frame, outcome, error)
      return unless @link.open?

      @link.tell('updated', 'resources' => Declaration.known_as(resource), 'action' => frame.action.to_s,
                            'outcome' => outcome.to_s, 'error' => error&.message.to_s[0, 4096],
                            'notification' => frame.because)
    rescue Error => e
      Chef::Log.warn("flock: flockd was not told of #{resource}, #{outcome}: #{e.message}")
    end

    def performed(number, told)
      @link.tell('performed', { 'notification' => number }.merge(told)) if @link.open?
    rescue Error => e
      Chef::Log.warn("flock: flockd was not told of a notification that was performed: #{e.message}")
    end

    # What is sent.

    # Who wants it, and because of which notification.
    def cause_of(sender)
      by = sender && notifier_of(sender)
      return {} unless by

      cause = { 'by' => { 'resource' => by.resource.to_s, 'action' => by.action.to_s } }
      cause['notification'] = by.because if by.because
      cause
    end

    # The action because of which a sender is asked to send. Chef does not say it of a delayed one.
    def notifier_of(sender)
      notifier = @actions.notifier_of(sender)
      return frame_of(notifier) if notifier

      (@wanted_by[sender] || []).each { |r| return @updated[r] if @updated[r] }
      nil
    end

    def frame_of(resource)
      @updated[resource] || Actions::Frame.new(resource, Array(resource.action).first, nil, nil, @actions.because(resource))
    end

    def report_targets(wish, targets)
      Array(targets).each do |target|
        next unless target && target['error']

        why = target['error'].is_a?(Hash) ? target['error']['message'] : target['error']
        degrade("#{wish.action} #{wish.resource} on #{target['node']}: #{why}")
      end
    end

    def missed(wish, error)
      raise Required, "flock: #{wish}: #{error.message}" if wish.required && !error.is_a?(Absent)

      degrade("not notified: #{wish}: #{error.message}")
    end

    # What comes.

    def arrivals
      @link.messages.select { |m| m['notification'] }.map { |m| @incoming.take(m, root) }.compact
    end

    # What has come is performed next; in the delayed phase, as one more delayed action.
    def between_resources
      reconnect unless @link.open?
      return unless @link.open?

      arrivals.each do |arrival|
        if @delayed_phase || notified_only?
          add_delayed(arrival.receipt)
        else
          root.resource_collection.insert(arrival.receipt)
        end
      end
    end

    # What runs for a notification only leaves everything else as it is; all can be found and performed still.
    def skip_all
      @context.resource_collection.each { |r| r.action(:nothing) }
    end

    # Those for which flockd started this run.
    def take_first
      until_ = Deadline.new(FIRST_WAIT)
      come = []
      while come.empty? && @link.open? && !until_.over?
        @link.wait(until_.left)
        come = arrivals
      end
      come.each { |arrival| add_delayed(arrival.receipt) }
    end

    def add_delayed(receipt)
      root.add_delayed_action(Chef::Resource::Notification.new(receipt, :deliver, receipt))
    end

    # Its failure is the notification's, not the waiting resource's.
    def run_now(receipt)
      root.runner.run_action(receipt, :deliver)
    rescue StandardError => e
      Chef::Log.error("flock: #{receipt}: #{e.message}")
    end
  end
end
