# frozen_string_literal: true

require 'json'
require 'socket'
require 'tmpdir'

# Answers on a control socket as a test says, and remembers what it was asked. Not a flockd: it knows nothing.
class ScriptedFlockd
  Asked = Struct.new(:target, :body)

  attr_reader :path, :asked

  def self.open
    flockd = new
    yield flockd
  ensure
    flockd&.close
  end

  # The block is given the request and the socket; what it returns is the body of the reply, unless it is :done.
  def initialize
    @folder = Dir.mktmpdir('flock-control-')
    @path = File.join(@folder, 'sock')
    @asked = []
    @answers = {}
    @streams = []
    @server = UNIXServer.new(@path)
    @thread = Thread.new { serve }
  end

  # What a target is answered with: a body, or [status, body], or a block that does all by itself.
  def on(target, body = nil, &block)
    @answers[target] = block || body
  end

  def bodies(target)
    @asked.select { |a| a.target == target }.map(&:body)
  end

  # To the run that was begun last.
  def tell(message)
    @streams.last.write("data: #{JSON.generate(message)}\n\n")
  end

  def hang_up
    @streams.each(&:close)
    @streams.clear
  end

  def close
    @thread.kill
    @thread.join
    @server.close
    hang_up
    FileUtils.rm_rf(@folder)
  end

  private

  def serve
    loop { answer(@server.accept) }
  end

  def answer(socket)
    head = socket.gets("\r\n\r\n") or return
    size = head[/^content-length: (\d+)/i, 1].to_i
    body = size.zero? ? nil : JSON.parse(socket.read(size))
    target = head[/\A\S+ (\S+)/, 1]
    @asked << Asked.new(target, body)
    answer = @answers.fetch(target, {})
    return answer.call(socket) if answer.respond_to?(:call)
    return begin_run(socket) if target == '/v1/runs' && answer == {}

    status, text = answer.is_a?(Array) ? answer : [200, answer]
    text = JSON.generate(text) unless text.is_a?(String)
    socket.write("HTTP/1.1 #{status} X\r\nContent-Length: #{text.bytesize}\r\n\r\n#{text}")
    socket.close
  rescue SystemCallError
    socket.close
  end

  def begin_run(socket)
    socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n:\n\ndata: {\"run\":\"life.chef1\"}\n\n")
    @streams << socket
  end
end
