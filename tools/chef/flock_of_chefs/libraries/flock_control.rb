# frozen_string_literal: true

require 'json'
require 'socket'

module FlockOfChefs
  # Something that was asked of the flock was not done; the code is one of docs/control_api.md.
  class Error < StandardError
    attr_reader :code

    def initialize(code, message)
      super(message)
      @code = code
    end
  end

  # There is no flockd to ask: it does not run, or this user may not open its socket.
  class Absent < Error
    def initialize(message)
      super('absent', message)
    end
  end

  # Time that runs out.
  class Deadline
    def self.now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def initialize(seconds)
      @at = Deadline.now + seconds
    end

    def left
      [@at - Deadline.now, 0].max
    end

    def over?
      left.zero?
    end
  end

  # The control socket of the local flockd: HTTP/1.1 and JSON, a connection for each request, a deadline for each.
  class Control
    # A reply that is longer is no reply of a flockd.
    MAX_REPLY = 64 << 20

    attr_reader :path

    def initialize(path, seconds: 5)
      @path = path
      @seconds = seconds
    end

    # Raises Error as flockd says it, or Absent.
    def get(target, seconds: @seconds)
      ask('GET', target, nil, seconds)
    end

    def post(target, body, seconds: @seconds)
      ask('POST', target, body, seconds)
    end

    # Begins what flockd then goes on telling. Returns a Stream.
    def follow(target, body, seconds: @seconds)
      until_ = Deadline.new(seconds)
      wire = Wire.new(@path, until_)
      begin
        wire.send_request('POST', target, body, until_)
        status, headers = wire.read_head(until_)
        raise_error(status, wire.read_body(headers, until_)) unless status == 200
        Stream.new(wire)
      rescue StandardError
        wire.close
        raise
      end
    end

    # One element of a path.
    def self.escape(text)
      text.to_s.b.gsub(/[^A-Za-z0-9._~-]/n) { |byte| format('%%%02X', byte.ord) }
    end

    def self.query(parameters)
      pairs = parameters.flat_map { |name, values| Array(values).map { |v| "#{name}=#{escape(v)}" } }
      pairs.empty? ? '' : "?#{pairs.join('&')}"
    end

    private

    def ask(method, target, body, seconds)
      until_ = Deadline.new(seconds)
      wire = Wire.new(@path, until_)
      wire.send_request(method, target, body, until_)
      status, headers = wire.read_head(until_)
      text = wire.read_body(headers, until_)
      raise_error(status, text) unless status == 200
      JSON.parse(text)
    rescue JSON::ParserError => e
      raise Error.new('protocol', "#{target}: the reply is no JSON: #{e.message[0, 200]}")
    ensure
      wire&.close
    end

    def raise_error(status, text)
      told = begin
        JSON.parse(text)['error'] || {}
      rescue JSON::ParserError, TypeError, NoMethodError
        {}
      end
      raise Error.new(told['code'] || 'protocol', told['message'] || "flockd answered with status #{status}")
    end
  end

  # One connection, and HTTP on it. Everything ends at a deadline; nothing waits for flockd otherwise.
  class Wire
    def initialize(path, until_)
      @path = path
      @read = String.new(encoding: Encoding::BINARY)
      @socket = connect(until_)
    end

    def send_request(method, target, body, until_)
      text = body.nil? ? '' : json(body)
      head = "#{method} #{target} HTTP/1.1\r\nHost: flockd\r\nConnection: close\r\n" \
             "Content-Type: application/json\r\nContent-Length: #{text.bytesize}\r\n\r\n"
      write(head.b + text.b, until_)
    end

    def read_head(until_)
      fill(until_) until (ends = @read.index("\r\n\r\n"))
      lines = @read.slice!(0, ends + 4).split("\r\n")
      status = lines.shift.to_s[%r{\AHTTP/1\.1 (\d{3})}, 1]
      raise Error.new('protocol', "#{@path} is not the socket of a flockd") unless status

      [status.to_i, lines.map { |l| l.split(/:\s*/, 2) }.to_h { |name, value| [name.downcase, value.to_s] }]
    end

    def read_body(headers, until_)
      size = headers['content-length']&.to_i
      raise Error.new('protocol', "a reply of #{size} bytes") if size && size > Control::MAX_REPLY

      fill(until_) while size && @read.bytesize < size
      (size ? @read.slice!(0, size) : @read).force_encoding(Encoding::UTF_8)
    end

    # What has come since the last time, without waiting; nil at the end of the connection.
    def take
      loop do
        part = @socket.read_nonblock(65_536, exception: false)
        return @ended || @read.empty? ? rest : taken if part == :wait_readable

        @ended = true if part.nil?
        return rest if part.nil?

        @read << part
      end
    rescue SystemCallError, IOError
      @ended = true
      rest
    end

    def wait(seconds)
      @socket.wait_readable(seconds)
    rescue IOError
      nil
    end

    def close
      @socket&.close
    rescue IOError, SystemCallError
      nil
    end

    private

    def json(body)
      JSON.generate(body)
    rescue JSON::GeneratorError, EncodingError => e
      raise Error.new('bad_argument', "it cannot be said in JSON: #{e.message[0, 200]}")
    end

    def rest
      return taken unless @read.empty?

      @ended ? nil : ''
    end

    def taken
      text = @read
      @read = String.new(encoding: Encoding::BINARY)
      text
    end

    def connect(until_)
      address = Socket.sockaddr_un(@path)
      socket = Socket.new(:UNIX, :STREAM)
      begin
        socket.connect_nonblock(address)
      rescue IO::WaitWritable # flockd has more who want to connect than it has taken yet
        raise if until_.over?

        sleep([0.01, until_.left].min)
        retry
      end
      socket
    rescue IO::WaitWritable
      socket.close
      raise Absent, "flockd does not take connections on #{@path}"
    rescue SystemCallError, ArgumentError => e # the latter for a path that is too long
      socket&.close
      raise Absent, "flockd cannot be reached on #{@path}: #{e.message}"
    end

    def write(bytes, until_)
      until bytes.empty?
        sent = @socket.write_nonblock(bytes, exception: false)
        if sent == :wait_writable
          timed_out if until_.over? || !@socket.wait_writable(until_.left)
        else
          bytes = bytes.byteslice(sent..-1)
        end
      end
    rescue SystemCallError, IOError => e
      raise Absent, "flockd closed the connection on #{@path}: #{e.message}"
    end

    def fill(until_)
      loop do
        part = @socket.read_nonblock(65_536, exception: false)
        raise Absent, "flockd closed the connection on #{@path}" if part.nil?
        return @read << part unless part == :wait_readable

        timed_out if until_.over? || !@socket.wait_readable(until_.left)
      end
    rescue SystemCallError, IOError => e
      raise Absent, "flockd closed the connection on #{@path}: #{e.message}"
    end

    def timed_out
      raise Error.new('maybe_done', "flockd did not answer in time on #{@path}")
    end
  end

  # What flockd tells on one connection: server-sent events, each of them JSON.
  class Stream
    def initialize(wire)
      @wire = wire
      @text = String.new(encoding: Encoding::BINARY)
      @open = true
    end

    def open?
      @open
    end

    # The messages that have come since the last time; never waits.
    def messages
      return [] unless @open

      part = @wire.take
      if part.nil?
        close
        return []
      end
      @text << part
      whole = []
      while (ends = @text.index("\n\n"))
        data = @text.slice!(0, ends + 2)[/^data: (.*)$/, 1]
        whole << JSON.parse(data.force_encoding(Encoding::UTF_8)) if data
      end
      whole
    rescue JSON::ParserError
      close
      []
    end

    # Until something comes, but no longer than this.
    def wait(seconds)
      @open ? @wire.wait(seconds) : sleep(seconds)
    end

    def close
      @open = false
      @wire.close
    end
  end
end
