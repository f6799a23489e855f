#!/usr/bin/env ruby
# frozen_string_literal: true

# Writes the inputs of tests/fuzz/corpus that are binary: ruby tests/fuzz/seeds.rb. Forms: docs/wire_format.md.

require 'fileutils'

Bytes = Struct.new(:data)

def varint(number)
  out = []
  while number >= 0x80
    out << (number & 0x7f | 0x80)
    number >>= 7
  end
  (out << number).pack('C*')
end

def sized(bytes) = varint(bytes.bytesize) + bytes.b

def form(value)
  case value
  when nil then "\0".b
  when false then "\1".b
  when true then "\2".b
  when Integer then "\3".b + varint((value << 1 ^ value >> 63) & 0xffff_ffff_ffff_ffff)
  when Float then "\4".b + [value].pack('E')
  when String then "\5".b + sized(value)
  when Bytes then "\6".b + sized(value.data)
  when Array then "\7".b + varint(value.size) + value.map { |e| form(e) }.join.b
  when Hash then "\10".b + varint(value.size) + value.sort.map { |name, member| sized(name) + form(member) }.join.b
  end
end

def message(kind, body = nil, id: 0, within: 0, actor: '', method: '')
  [1, kind].pack('CC') + varint(id) + varint(within) + sized(actor) + sized(method) + form(body)
end

def frame(bytes) = [bytes.bytesize].pack('N') + bytes

# GeneralNames of RFC 5280; all lengths are below 256.
def general_names(*names)
  all = names.map { |tag, name| [tag, name.bytesize].pack('CC') + name.b }.join.b
  (all.bytesize < 128 ? [0x30, all.bytesize].pack('CC') : [0x30, 0x81, all.bytesize].pack('CCC')) + all
end

EMAIL = 0x81
DNS = 0x82
URI = 0x86
IP = 0x87

LIFE = "#{'0' * 31}1"
TIME = 1_769_817_600_000 # 2026-01-31
CAUSE = { 'node' => 'bender0', 'resource' => 'file[/tmp/fubar]', 'action' => 'create' }.freeze
NOTIFICATION = { 'id' => 'a-1', 'sender' => 'bender0', 'target' => 'a', 'actor' => 'execute[toast]', 'action' => 'run',
                 'arguments' => [], 'causes' => [CAUSE], 'created' => TIME, 'expires' => TIME + 3_600_000 }.freeze
ACCEPTED = { 'id' => 'a-1', 'state' => 'accepted', 'at' => TIME, 'redelivered' => false }.freeze
STARTED = ACCEPTED.merge('state' => 'started', 'at' => TIME + 1).freeze
FAILED = ACCEPTED.merge('state' => 'failed', 'at' => TIME + 2, 'error' => { 'code' => 'timeout', 'what' => 'too late' },
                        'outcome' => { 'outcome' => 'failed', 'exit_status' => 1, 'output' => 'x' }).freeze
STANDING = { 'revision' => 2, 'reserved' => 1024, 'again' => 0, 'sent' => 1, 'life' => LIFE, 'journal' => 'b' }.freeze
HELLO = { 'flock' => '/flock', 'id' => 'bender0', 'life' => LIFE, 'version' => '0.1.0', 'address' => '10.0.0.1:22222',
          'environment' => 'production', 'journal' => 'b' }.freeze
PARCELS = { 'channel' => 'b', 'to' => LIFE, 'after' => 0, 'again' => 0,
            'items' => [[1, { 'notification' => NOTIFICATION }], [3, { 'receipt' => FAILED }]] }.freeze

VALUES = {
  'null' => form(nil),
  'all_kinds' => form({ 'a' => nil, 'b' => [false, true, -1, 2**63 - 1, -2**63], 'c' => 0.5, 'd' => 'ä', 'e' => Bytes.new("\0\xff") }),
  'not_a_number' => form(Float::NAN),
  'deep' => "\7\1".b * 63 + "\7\0".b,
  'too_deep' => "\7\1".b * 64 + "\7\0".b,
  'twice' => "\10\2\1a\0\1a\0".b,
  'out_of_order' => "\10\2\1b\0\1a\0".b,
  'claims_more' => "\7\xff\xff\xff\xff\x0f".b,
  'long_varint' => "\3\x80\x80\0".b
}.freeze

RECORDS = {
  'notification' => form(NOTIFICATION),
  'repetition' => form(NOTIFICATION.merge('retry_of' => 'a-0')),
  'time_of_1969' => form(NOTIFICATION.merge('created' => -1)),
  'long_id' => form(NOTIFICATION.merge('id' => 'x' * 1025)),
  'accepted' => form(ACCEPTED),
  'failed' => form(FAILED),
  'kept' => form({ 'what' => NOTIFICATION, 'receipts' => [ACCEPTED], 'attempts' => 0 }),
  'kept_failed' => form({ 'what' => NOTIFICATION, 'receipts' => [ACCEPTED, STARTED, FAILED], 'attempts' => 1 }),
  'standing' => form(STANDING),
  'standing_connected' => form(STANDING.merge('sent' => nil))
}.freeze

MESSAGES = {
  'hello' => message(1, HELLO),
  'heartbeat' => message(2),
  'goodbye' => message(3, { 'why' => 'it stops' }),
  'call' => message(4, [1], id: 7, within: 5000, actor: 'itchy', method: 'fight'),
  'reply' => message(5, 'Bite!', id: 7),
  'failure' => message(6, { 'code' => 'refused', 'what' => 'no' }, id: 7),
  'unknown_failure' => message(6, { 'code' => 'newer', 'what' => '' }, id: 7),
  'parcels' => message(7, PARCELS),
  'acknowledge' => message(8, { 'channel' => 'b', 'upto' => 3 }),
  'newer' => "#{message(2)}more".b
}.freeze

FRAMES = {
  'some' => MESSAGES.values_at('hello', 'heartbeat', 'call', 'goodbye').map { |m| frame(m) }.join.b,
  'empty_ones' => frame('') * 5,
  'cut' => frame(MESSAGES['call'])[0...-3],
  'too_long' => [4097].pack('N') + 'x' * 10,
  'longest' => frame('x' * 4096) + frame('y')
}.freeze

CERTIFICATES = {
  'dns' => general_names([DNS, 'bender1']),
  'uri' => general_names([URI, 'flock:bender1']),
  'several' => general_names([DNS, 'Bender1.Example.COM'], [URI, 'flock:bender:1'], [URI, 'http://x/'], [IP, "\x7f\0\0\1"],
                             [EMAIL, 'a@b']),
  'nul' => general_names([DNS, "bender1\0.evil.com"]),
  'wildcard' => general_names([DNS, '*.example.com']),
  'none' => general_names,
  'cut' => general_names([DNS, 'bender1'])[0...-2]
}.freeze

{ 'value' => VALUES, 'record' => RECORDS, 'message' => MESSAGES, 'frame' => FRAMES,
  'certificate' => CERTIFICATES }.each do |target, inputs|
  folder = File.join(__dir__, 'corpus', target)
  FileUtils.mkdir_p(folder)
  inputs.each { |name, bytes| File.binwrite(File.join(folder, name), bytes) }
end
