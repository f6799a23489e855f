# frozen_string_literal: true

module FlockOfChefs
  # What remote_notifies and remote_subscribes were given: an action, a resource, when, and where. Wrong ones are an
  # ArgumentError while the recipe is compiled.
  class Wish
    TIMINGS = { immediate: :immediately, immediately: :immediately, delayed: :delayed, before: :before }.freeze
    # As people write it, and as flockd calls it.
    MEMBERS = { node: :node, nodes: :node, role: :roles, roles: :roles, recipe: :recipes, recipes: :recipes,
                environment: :environment, query: :query, any: :any }.freeze

    attr_reader :action, :resource, :timing, :location, :required

    # location: node:, roles:, recipes:, environment:, query: (all of them must hold), any: true for one of the
    # nodes that match; required: true makes it a failure if none does.
    def initialize(action, resource, timing, location)
      @action = word('action', action)
      @resource = resource_name(resource)
      @timing = TIMINGS[timing.to_s.to_sym] ||
                wrong("no timing: #{timing.inspect}; there are :immediately, :delayed and :before")
      @required = location.fetch(:required, false)
      @location = read_location(location.reject { |name, _| name.to_sym == :required })
    end

    # The same wish is sent once at the end of a run.
    def key
      [action, resource, timing, location, required]
    end

    # "role:web AND environment:production"
    def where
      location.reject { |name, _| name == :any }.flat_map { |name, values| Array(values).map { |v| "#{name}:#{v}" } }
              .join(' AND ')
    end

    def to_s
      "#{action} #{resource} on #{where}"
    end

    private

    def wrong(what)
      raise ArgumentError, what
    end

    def word(what, given)
      text = given.to_s
      wrong("no #{what}: #{given.inspect}") unless text =~ /\A[a-z][a-z0-9_]*\z/
      text
    end

    # type[name]: the name is all between the first bracket and the last character. One resource, whatever its name.
    def resource_name(given)
      text = given.to_s
      wrong("no resource: #{text[0, 100].inspect}; it is written type[name]") unless text =~ /\A[a-z][a-z0-9_]*\[.+\]\z/m
      wrong("the name of a resource has #{text.bytesize} bytes, more than 4096") if text.bytesize > 4096
      utf8 = text.encode(Encoding::UTF_8)
      if !utf8.valid_encoding? || utf8 =~ /[[:cntrl:]]/
        wrong("the name of a resource has bytes that nobody can print: #{text[0, 100].inspect}")
      end
      utf8
    rescue EncodingError
      wrong("the name of a resource is no UTF-8: #{text[0, 100].inspect}")
    end

    def read_location(given)
      read = given.each_with_object({}) do |(name, values), all|
        member = MEMBERS[name.to_sym] || wrong("no location: #{name}; there are node, roles, recipes, environment, query")
        all[member] = member == :any ? flag(values) : texts(name, member, values)
      end
      wrong('no location: say node:, roles:, recipes:, environment: or query:') if (read.keys - [:any]).empty?
      read
    end

    def flag(value)
      [true, false].include?(value) ? value : wrong("any is true or false, not #{value.inspect}")
    end

    def texts(name, member, values)
      list = Array(values).map(&:to_s)
      wrong("#{name}: is empty") if list.empty? || list.any?(&:empty?)
      return list unless %i[environment query].include?(member)

      list.size == 1 ? list.first : wrong("#{name}: takes one, not #{list.size}")
    end
  end
end
