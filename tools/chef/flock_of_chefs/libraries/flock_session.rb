# frozen_string_literal: true

require_relative 'flock_actions'
require_relative 'flock_control'
require_relative 'flock_settings'
require_relative 'flock_waiting'

module FlockOfChefs
  # flockd is needed (node['flock_of_chefs']['required']), or somebody who was told that he must be there, and is not.
  class Required < StandardError; end

  # One Chef run as a part of the flock: tells flockd of the run and its resources, sends what they notify, and takes
  # what comes for them. All on Chef's own thread. Nothing here raises into the run, unless flockd is required.
  class Session
    # How often a lost flockd is looked for again, in seconds.
    PATIENCE = 2
    # For the notifications for which flockd started this run to come in, in seconds. They are there unless another run
    # was faster.
    FIRST_WAIT = 2
    # Bytes of resources in one request, well below the 1 MiB that flockd takes.
    PART = 500_000

    attr_reader :settings, :control, :run

    def initialize(run_context)
      @context = run_context
      @settings = Settings.new(run_context.node)
      @control = Control.new(@settings.socket, seconds: @settings.call_timeout)
      @receipts = {}.compare_by_identity # the notification that a resource stands for
      @senders = {}                      # by the wish's key
      @wishes = {}.compare_by_identity   # of the senders
      @wanted_by = {}.compare_by_identity
      @updated = {}.compare_by_identity
      @subscriptions = []
      @ids = {}       # of the notifications, by their numbers
      @performed = {} # by the notification's id: what flockd was told, should it ask again
      @actions = Actions.new(@receipts)
      @begun = false
      @delayed_phase = false
      @early = []
      @started_for = ENV.delete('CHEF_FLOCK_RUN') # what this run starts is not started by flockd
    end

    def why_run?
      Chef::Config[:why_run] ? true : false
    end

    # Whether flockd knows of this run.
    def connected?
      !@stream.nil? && @stream.open?
    end

    # Started by flockd for what was notified, and for nothing else.
    def notified_only?
      @started_for == 'notified' && @settings.notified_only?
    end

    # Which resource stands for the notification of this wish: one for each wish, so that Chef sends it once.
    def sender(wish, resource)
      sender = @senders[wish.key] ||= NotificationResource.new(wish.to_s, @context.root_run_context)
      @wishes[sender] = wish
      (@wanted_by[sender] ||= []) << resource
      sender
    end

    def wish_of(sender)
      @wishes[sender]
    end

    def subscribe(resource, wish)
      @subscriptions << [resource, wish]
      declare_late(resource, wish) if @begun
    end

    # Sends what a resource wants; true if it was sent.
    def send_wish(sender, wish = wish_of(sender))
      return false unless @settings.enabled?

      body = { 'action' => wish.action, 'resource' => wish.resource }.merge(json(wish.location))
      by = sender && notifier_of(sender)
      body['by'] = { 'resource' => by.resource.to_s, 'action' => by.action.to_s } if by
      body['notification'] = by.because if by && by.because
      answered = connected? ? tell('notify', body) : @control.post('/v1/notify?wait=queued', plain(body))
      report_targets(wish, answered['notifications'])
      true
    rescue Error => e
      missed(wish, e)
      false
    end

    # Events of the run.

    def attributes_known
      connect
    end

    def converge_started(context)
      @context = context
      @begun = true
      @delayed_phase = false
      skip_all if notified_only? && connected?
      declare
      take_first if notified_only?
    end

    def action_started(resource, action, timing, notifier)
      @delayed_phase = true if timing.to_s == 'delayed' && @actions.depth.zero?
      @actions.started(resource, action, timing, notifier)
    end

    def action_came_to(resource, outcome, error = nil)
      frame = @actions.came_to(resource, outcome, error)
      return if why_run? || internal?(resource)

      @updated[resource] = frame if outcome == :updated
      report(resource, frame, outcome, error) if frame && %i[updated failed].include?(outcome)
    end

    def action_completed(resource)
      frame = @actions.completed(resource)
      return if why_run? # also for a moment only, to find out whether a :before is due

      acknowledge(frame) if frame && frame.notifier && @receipts[frame.notifier]
      between_resources if @begun && @actions.depth.zero?
    end

    def ended(success, error = nil)
      tell('end', 'success' => success, 'error' => error&.message.to_s[0, 4096]) if connected?
    rescue Error => e
      Chef::Log.debug("flock: the end of the run was not told: #{e.message}")
    ensure
      @stream&.close
      @stream = nil
    end

    # Holds a resource back until the block says so. Raises WaitTimeout.
    def wait_for(resource, wait)
      Waiting.new(self, resource, wait).run
    end

    # Performs what has come, from within a waiting resource. On Chef's own thread, outside of its events.
    def perform_while_waiting(seconds)
      reconnect unless connected?
      return sleep(seconds) unless connected?
      return unless @stream.wait(seconds)

      incoming.each do |receipt, target|
        if @actions.under_way?(target)
          add_delayed(receipt)
        else
          run_now(receipt)
        end
      end
    end

    # Degrades: a warning, or an error where flockd is required.
    def degrade(what)
      raise Required, "flock: #{what}" if @settings.required?

      Chef::Log.warn("flock: #{what}")
    end

    private

    def connect
      return unless @settings.enabled?

      @tried = Deadline.now
      @stream = @control.follow('/v1/runs', about)
      @run = first_message['run']
    rescue Error => e
      @stream&.close
      @stream = nil
      first = !@warned
      @warned = true
      degrade("#{e.message}; this run goes on without it") if first
    end

    def first_message
      until_ = Deadline.new(@settings.call_timeout)
      until until_.over?
        messages = @stream.messages
        return messages.shift.tap { @early = messages } unless messages.empty?
        break unless @stream.open?

        @stream.wait(until_.left)
      end
      raise Error.new('protocol', "flockd did not begin the run on #{@control.path}")
    end

    def about
      node = @context.node
      published = @settings.published.to_h { |path| [path, node.read(*path.split('.'))] }
      { 'why_run' => why_run?, 'pid' => Process.pid, 'environment' => node.chef_environment.to_s,
        'roles' => names(node['roles']), 'recipes' => names(node['recipes']), 'tags' => names(node['tags']),
        'attributes' => nest(published) }
    end

    def names(given)
      Array(given).map(&:to_s)
    end

    # {"kernel.release": "6.1"} as {"kernel": {"release": "6.1"}}
    def nest(flat)
      flat.each_with_object({}) do |(path, value), all|
        next if value.nil?

        *above, last = path.split('.')
        inner = above.inject(all) { |hash, name| hash[name].is_a?(Hash) ? hash[name] : (hash[name] = {}) }
        inner[last] = value.respond_to?(:to_hash) ? value.to_hash : value
      end
    end

    def tell(what, body)
      @control.post("/v1/runs/#{Control.escape(@run)}/#{what}", body)
    end

    # What runs for a notification only leaves everything else as it is; all can be found and performed still.
    def skip_all
      @context.resource_collection.each { |r| r.action(:nothing) }
    end

    def declare
      return unless connected?

      parts(resources_of(@context)).each_with_index do |part, i|
        body = { 'resources' => part, 'add' => i.positive? }
        body['subscribes'] = subscriptions if i.zero?
        tell('resources', body)
      end
    rescue Error => e
      degrade("the resources were not declared: #{e.message}")
    end

    def declare_late(resource, wish)
      return unless connected? && !why_run?

      tell('resources', 'resources' => [], 'add' => true, 'subscribes' => [subscription(resource, wish)])
    rescue Error => e
      degrade("#{resource} does not subscribe: #{e.message}")
    end

    def resources_of(context)
      context.resource_collection.each_with_object({}) do |resource, all|
        next if internal?(resource)

        actions = (resource.allowed_actions.map(&:to_s) | ['nothing'])
        known_as(resource).each { |name| all[name] = { 'resource' => name, 'actions' => actions } }
      end.values
    end

    # package[x] may be apt_package[x] as well.
    def known_as(resource)
      [resource.to_s, resource.declared_key].uniq.select do |name|
        name.bytesize <= 4096 && name.encode(Encoding::UTF_8).valid_encoding? && name !~ /[[:cntrl:]]/
      end
    rescue EncodingError
      []
    end

    def parts(resources)
      size = 0
      all = resources.slice_when { |r, _| (size += r.to_s.bytesize) > PART && (size = 0) }.to_a
      all.empty? ? [[]] : all
    end

    def subscriptions
      @subscriptions.map { |resource, wish| subscription(resource, wish) }
    end

    def subscription(resource, wish)
      { 'action' => wish.action, 'resource' => resource.declared_key, 'watched' => wish.resource,
        'timing' => wish.timing.to_s, 'publishers' => json(wish.location) }
    end

    def json(location)
      location.transform_keys(&:to_s)
    end

    # Without a run there are no causes to tell.
    def plain(body)
      body.reject { |name, _| %w[by notification].include?(name) }
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

    # Subscribers elsewhere may wait for it, and `flockctl resources` shows it.
    def report(resource, frame, outcome, error)
      return unless connected?

      tell('updated', 'resources' => known_as(resource), 'action' => frame.action.to_s, 'outcome' => outcome.to_s,
                      'error' => error&.message.to_s[0, 4096], 'notification' => frame.because)
    rescue Error => e
      Chef::Log.debug("flock: not told that #{resource} was updated: #{e.message}")
    end

    # Between two resources of the recipe: what has come is performed next.
    def between_resources
      reconnect unless connected?
      return unless connected?

      incoming.each do |receipt, _target|
        if @delayed_phase || notified_only?
          add_delayed(receipt)
        else
          @context.root_run_context.resource_collection.insert(receipt)
        end
      end
    end

    # flockd was away: it is told of the run once more.
    def reconnect
      return if !@begun || !@settings.enabled? || (@tried && Deadline.now - @tried < PATIENCE)

      connect
      declare
    end

    # Those for which flockd started this run.
    def take_first
      until_ = Deadline.new(FIRST_WAIT)
      taken = 0
      loop do
        come = connected? ? incoming : []
        come.each { |receipt, _| add_delayed(receipt) }
        taken += come.size
        break if taken.positive? || until_.over? || !connected?

        @stream.wait(until_.left)
      end
    end

    # What came for resources of this run: [resource that stands for it, its target].
    def incoming
      messages = @early + @stream.messages
      @early = []
      messages.select { |m| m['notification'] }.map { |m| receive(m) }.compact
    end

    def receive(message)
      return performed(message['notification'], @performed[message['id']]) if @performed[message['id']]

      target = find(message['resource'])
      return refuse(message, "#{message['resource']} is not in this run") unless target
      return refuse(message, "#{target} has no action #{message['action']}") unless
        target.allowed_actions.map(&:to_s).include?(message['action'])

      receipt = ReceiptResource.new(name_of(message), @context.root_run_context)
      receipt.notifies(message['action'].to_sym, target, :immediately)
      @receipts[receipt] = message['notification']
      @ids[message['notification']] = message['id']
      [receipt, target]
    end

    # Chef keeps notifications by the name of who sends them: no two may have the same.
    def name_of(message)
      id = message['id'].to_s
      "#{message['action']} #{message['resource']} for #{id.empty? ? message['notification'] : id}"
    end

    # By its whole name: names may have brackets and commas, which Chef's own search takes apart.
    def find(name)
      found = nil
      @context.root_run_context.resource_collection.each { |r| found = r if known_as(r).include?(name) }
      found
    end

    def refuse(message, why)
      performed(message['notification'], 'outcome' => 'failed', 'error' => why)
    end

    def add_delayed(receipt)
      root = @context.root_run_context
      root.add_delayed_action(Chef::Resource::Notification.new(receipt, :deliver, receipt))
    end

    # Its failure is the notification's, not the waiting resource's.
    def run_now(receipt)
      @context.root_run_context.runner.run_action(receipt, :deliver)
    rescue StandardError => e
      Chef::Log.error("flock: #{receipt}: #{e.message}")
    end

    def acknowledge(frame)
      outcome = frame.outcome || :skipped
      number = @receipts[frame.notifier]
      told = { 'outcome' => outcome.to_s, 'error' => frame.error&.message.to_s[0, 4096] }
      @performed[@ids[number]] = told
      performed(number, told)
    end

    def performed(number, told)
      tell('performed', { 'notification' => number }.merge(told)) if connected?
      nil
    rescue Error => e
      Chef::Log.warn("flock: flockd was not told of a notification that was performed: #{e.message}")
      nil
    end

    def internal?(resource)
      resource.is_a?(NotificationResource) || resource.is_a?(ReceiptResource)
    end
  end
end
