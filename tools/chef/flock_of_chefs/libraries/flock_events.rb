# frozen_string_literal: true

module FlockOfChefs
  # Passes Chef's events on to the session. Chef ends a run when one of its listeners raises, so that nothing may
  # escape from here but that flockd is required.
  class Events < Chef::EventDispatch::Base
    def initialize(session)
      super()
      @session = session
    end

    def attribute_load_complete
      guard { @session.attributes_known }
    end

    def converge_start(run_context)
      guard { @session.converge_started(run_context) }
    end

    def resource_action_start(resource, action, notification_type = nil, notifier = nil)
      guard { @session.action_started(resource, action, notification_type, notifier) }
    end

    def resource_skipped(resource, _action, _conditional)
      guard { @session.action_came_to(resource, :skipped) }
    end

    def resource_up_to_date(resource, _action)
      guard { @session.action_came_to(resource, :up_to_date) }
    end

    def resource_updated(resource, _action)
      guard { @session.action_came_to(resource, :updated) }
    end

    def resource_failed(resource, _action, exception)
      guard { @session.action_came_to(resource, :failed, exception) }
    end

    def resource_completed(resource)
      guard { @session.action_completed(resource) }
    end

    def run_completed(_node, _run_status = nil)
      guard { @session.ended(true) }
    end

    def run_failed(exception, _run_status = nil)
      guard { @session.ended(false, exception) }
    end

    private

    def guard
      yield
    rescue Required
      raise
    rescue StandardError => e
      Chef::Log.warn("flock: #{e.class}: #{e.message} (#{e.backtrace&.first})")
    end
  end
end
