# frozen_string_literal: true

require 'etc'
require 'minitest/autorun'
require_relative 'chef_double'
require_relative 'scripted_flockd'

class ControlTest < Minitest::Test
  def ask(seconds: 5, target: '/v1/status', &block)
    ScriptedFlockd.open do |flockd|
      block&.call(flockd)
      return FlockOfChefs::Control.new(flockd.path, seconds: seconds).get(target)
    end
  end

  def failure(**options, &block)
    assert_raises(FlockOfChefs::Error) { ask(**options, &block) }
  end

  def test_a_reply_is_read_however_it_is_cut
    answered = ask do |flockd|
      flockd.on('/v1/status') do |socket|
        "HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"id\": \"größe\"}\n ".b.each_char { |byte| socket.write(byte) }
        socket.close
      end
    end

    assert_equal({ 'id' => 'größe' }, answered)
  end

  def test_an_error_has_its_code_and_its_words
    failed = failure { |flockd| flockd.on('/v1/status', [404, { 'error' => { 'code' => 'not_found', 'message' => 'no x' } }]) }

    assert_equal ['not_found', 'no x'], [failed.code, failed.message]
  end

  def test_an_error_without_words_has_its_status
    assert_includes failure { |flockd| flockd.on('/v1/status', [500, 'oh']) }.message, '500'
  end

  def test_what_never_answers_is_left_at_the_deadline
    held = nil
    failed = failure(seconds: 0.2) { |flockd| flockd.on('/v1/status') { |socket| held = socket } }
    held&.close

    assert_equal 'maybe_done', failed.code
  end

  def test_what_is_no_flockd_is_an_error
    spoken = failure { |flockd| flockd.on('/v1/status') { |s| s.write("220 smtp\r\n\r\n") && s.close } }
    assert_equal 'protocol', spoken.code

    assert_equal 'protocol', failure { |flockd| flockd.on('/v1/status', 'no JSON') }.code
    huge = failure { |flockd| flockd.on('/v1/status') { |s| s.write("HTTP/1.1 200\r\nContent-Length: 99999999999\r\n\r\n") } }
    assert_equal 'protocol', huge.code
  end

  def test_a_connection_that_breaks_is_an_absent_flockd
    assert_instance_of FlockOfChefs::Absent, failure { |flockd| flockd.on('/v1/status', &:close) }
  end

  def test_a_socket_that_is_not_there_or_cannot_be_is_an_absent_flockd
    ['/nonexistent/sock', "/#{'x' * 200}", __FILE__].each do |path|
      assert_raises(FlockOfChefs::Absent) { FlockOfChefs::Control.new(path).get('/v1/status') }
    end
  end

  # What the block returns, called by somebody who is not root, to whom all is open.
  def as_nobody
    return yield unless Process.uid.zero?

    reader, writer = IO.pipe
    child = fork do
      nobody = Etc.getpwnam('nobody')
      Process::GID.change_privilege(nobody.gid)
      Process::UID.change_privilege(nobody.uid)
      writer.write(Marshal.dump(yield))
      writer.close
      exit!(0) # without minitest's end
    end
    writer.close
    Marshal.load(reader.read)
  ensure
    Process.wait(child) if child
  end

  def test_a_socket_that_this_user_may_not_open_is_an_absent_flockd
    ScriptedFlockd.open do |flockd|
      File.chmod(0o755, File.dirname(flockd.path))
      File.chmod(0, flockd.path)

      failed = as_nobody do
        FlockOfChefs::Control.new(flockd.path).get('/v1/status')
      rescue FlockOfChefs::Error => e
        e
      end

      assert_instance_of FlockOfChefs::Absent, failed
      assert_includes failed.message, 'Permission denied'
    end
  end

  def test_names_in_a_path_are_encoded
    assert_equal 'file%5B%2Fgr%C3%B6%C3%9Fe%5D', FlockOfChefs::Control.escape('file[/größe]')
    assert_equal '?query=a%3Ab&role=x&role=y', FlockOfChefs::Control.query('query' => 'a:b', 'role' => %w(x y))
  end
end
