# frozen_string_literal: true

# Notifies a resource on other nodes, whenever this one acts:
#
#   flock_notify 'execute[kill all humans]' do
#     wanted :run
#     location node: 'bender1'
#   end
resource_name :flock_notify
provides :flock_notify
unified_mode true if respond_to?(:unified_mode)

property :resource, String, name_property: true, description: 'The resource there: type[name].'
property :wanted, [Symbol, String], default: :run, description: 'The action that it is to perform.'
property :location, Hash, required: true, description: 'node:, roles:, recipes:, environment:, query:'

action :notify do
  wish = FlockOfChefs.wish(new_resource, new_resource.wanted, new_resource.resource, :immediately,
                           new_resource.location, {})
  converge_by("notify #{wish}") { FlockOfChefs.send_wish(wish) }
end

action :nothing do
end
