# frozen_string_literal: true

# Waits for a node:
#
#   flock_wait 'bender0' do
#     for_state :idle
#     timeout 120
#   end
resource_name :flock_wait
provides :flock_wait
unified_mode true if respond_to?(:unified_mode)

property :node_name, String, name_property: true, description: 'The node that is waited for.'
property :for_state, [Symbol, String], default: :idle, coerce: proc { |state| state.to_sym },
                                       equal_to: %i(alive active idle),
                                       description: 'alive: it is there; active: a Chef run is under way; idle: none is.'
property :pause, [Integer, Float], description: 'Seconds between two looks.'
property :timeout, [Integer, Float], description: 'Seconds before it fails.'

action :wait do
  there = FlockOfChefs[new_resource.node_name]
  wanted = new_resource.for_state
  FlockOfChefs.wait_here(new_resource, new_resource.pause, new_resource.timeout) do
    if wanted == :alive
      there.alive?
    else
      active = there[:flock_api].active
      wanted == :active ? active : active == false
    end
  end
end
