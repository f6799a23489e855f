# frozen_string_literal: true

module FlockOfChefs
  # What a run tells of its node and of its resources.
  module Declaration
    # Bytes of resources in one request, well below the 1 MiB that flockd takes.
    PART = 500_000
    # Source: libflock/flock/name.hpp
    LONGEST_NAME = 4096

    module_function

    def about(node, published, why_run)
      { 'why_run' => why_run, 'pid' => Process.pid, 'environment' => node.chef_environment.to_s,
        'roles' => names(node['roles']), 'recipes' => names(node['recipes']), 'tags' => names(node['tags']),
        'attributes' => nest(published.to_h { |path| [path, node.read(*path.split('.'))] }) }
    end

    # Of these resources, each under each of its names.
    def resources(collection)
      collection.each_with_object({}) do |resource, all|
        next if internal?(resource)

        actions = resource.allowed_actions.map(&:to_s) | ['nothing']
        known_as(resource).each { |name| all[name] = { 'resource' => name, 'actions' => actions } }
      end.values
    end

    # In parts that fit in a request each; one at least.
    def parts(resources)
      size = 0
      all = resources.slice_when { |r, _| (size += r.to_s.bytesize) > PART && (size = 0) }.to_a
      all.empty? ? [[]] : all
    end

    # package[x] may be apt_package[x] as well. One that no other node could say has no name.
    def known_as(resource)
      [resource.to_s, resource.declared_key].uniq.select do |name|
        name.bytesize <= LONGEST_NAME && name.encode(Encoding::UTF_8).valid_encoding? && name !~ /[[:cntrl:]]/
      end
    rescue EncodingError
      []
    end

    def subscription(resource, wish)
      { 'action' => wish.action, 'resource' => resource.declared_key, 'watched' => wish.resource,
        'timing' => wish.timing.to_s, 'publishers' => wish.location.transform_keys(&:to_s) }
    end

    # The library's own, of which nobody else needs to know.
    def internal?(resource)
      resource.is_a?(NotificationResource) || resource.is_a?(ReceiptResource)
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
  end
end
