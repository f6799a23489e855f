# frozen_string_literal: true

module FlockOfChefs
  # The receiver of an ordinary `notifies`: its action sends what remote_notifies asked for. In no collection, so it
  # acts only when it is notified; Chef's own rules decide when.
  class NotificationResource < Chef::Resource
    provides :flock_notification
    unified_mode true if respond_to?(:unified_mode)
    default_action :nothing

    action :deliver do
      converge_by("notify #{new_resource.name}") { FlockOfChefs.session.send_wish(new_resource) }
    end
  end

  # Stands for a notification that came: notifies its target at once.
  class ReceiptResource < Chef::Resource
    provides :flock_receipt
    unified_mode true if respond_to?(:unified_mode)
    default_action :deliver

    action :deliver do
      converge_by("perform #{new_resource.name}") {}
    end
  end
end
