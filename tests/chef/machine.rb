# frozen_string_literal: true

require 'fileutils'
require 'open3'
require 'tmpdir'

# A machine within this one: its first process is systemd, or one that knows of no services. It has processes, mounts and
# a host name of its own; all files of this machine, of which it can change none; this machine's network; and its own
# /tmp, /run and /var/tmp. One folder is shared. Takes root and the right to make namespaces.
class Machine
  BOOT_SECONDS = 60
  REMOVE_SECONDS = 2
  SYSTEMD = '/lib/systemd/systemd'

  class Impossible < StandardError; end
  class Late < StandardError; end

  # shared: a folder that both see and write to.
  def initialize(init, shared:)
    raise Impossible, 'a machine of its own takes root' unless Process.uid.zero?
    raise Impossible, 'there is no systemd' if init == :systemd && !File.executable?(SYSTEMD)

    @folder = Dir.mktmpdir('flock-machine-')
    @cgroup = make_cgroup
    File.write(File.join(@folder, 'boot'), boot_script(init, shared))
    boot
    await(init)
  rescue StandardError
    down
    raise
  end

  # Runs a command there. Returns its output and its status.
  def run(*command)
    output, status = Open3.capture2e(*enter, *command)
    [output, status.exitstatus]
  end

  # How to run a command there.
  def enter
    ['nsenter', '--target', @first.to_s, '--mount', '--uts', '--ipc', '--pid', '--cgroup', '--root', '--wdns=/', '--']
  end

  def down
    end_outer if @outer
    Dir[File.join(@cgroup, '**/')].sort.reverse_each { |group| remove_cgroup(group) } if @cgroup
  ensure
    FileUtils.rm_rf(@folder)
  end

  def log
    File.read(File.join(@folder, 'log'))
  end

  private

  # And with it the first process, and with that all others.
  def end_outer
    Process.kill(:KILL, @outer)
    Process.wait(@outer)
  rescue Errno::ESRCH, Errno::ECHILD
    nil
  end

  # systemd takes the group in which it finds itself for the whole machine's.
  def make_cgroup
    mount = File.readlines('/proc/mounts').map(&:split).find { |_, _, type| type == 'cgroup2' }
    raise Impossible, 'there is no cgroup2' unless mount

    group = File.join(mount[1], File.basename(@folder))
    Dir.mkdir(group)
    group
  rescue SystemCallError => e
    raise Impossible, "no control group can be made: #{e.message}"
  end

  def remove_cgroup(group)
    eventually("#{group} is empty", REMOVE_SECONDS) do
      Dir.rmdir(group)
    rescue Errno::EBUSY # its processes are just ending
      nil
    end
  end

  def eventually(what, seconds)
    until_ = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    until yield
      raise Late, "#{what}: it did not come true" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > until_

      sleep 0.05
    end
  end

  def boot
    log = File.join(@folder, 'log')
    join = "echo $$ > #{@cgroup}/cgroup.procs && exec unshare --pid --mount --uts --ipc --cgroup --fork --kill-child " \
           "bash -e #{@folder}/boot"
    @outer = Process.spawn('bash', '-c', join, in: File::NULL, out: log, err: %i[child out], pgroup: true)
  end

  def await(init)
    eventually('it starts', BOOT_SECONDS) do
      raise Impossible, 'it did not start' if Process.wait(@outer, Process::WNOHANG)

      booted?(init)
    end
  rescue Late, Impossible => e
    raise Impossible, "#{e.message}:\n#{log}"
  end

  def booted?(init)
    children = "/proc/#{@outer}/task/#{@outer}/children"
    @first = File.read(children).to_i
    return false unless @first.positive? && log.include?('the machine is set up')

    init == :systemd ? run('systemctl', 'is-active', 'basic.target').last.zero? : run('true').last.zero?
  rescue Errno::ENOENT
    false
  end

  # Nothing of this machine may be changed from in there: its kernel's settings, devices and temporary files neither.
  def boot_script(init, shared)
    <<~SCRIPT
      mount --make-rprivate /
      d=#{@folder}
      mount -t tmpfs tmpfs $d -o mode=755
      mkdir $d/changed $d/work $d/root
      mount -t overlay overlay -o lowerdir=/,upperdir=$d/changed,workdir=$d/work $d/root
      r=$d/root
      for own in run tmp var/tmp dev; do mount -t tmpfs tmpfs $r/$own -o mode=755; done
      chmod 1777 $r/tmp $r/var/tmp
      mount -t proc proc $r/proc
      mount --bind $r/proc/sys $r/proc/sys && mount -o remount,bind,ro $r/proc/sys
      mount -t sysfs -o ro sysfs $r/sys
      mount -t cgroup2 cgroup2 $r/sys/fs/cgroup
      for device in null zero full random urandom tty; do
        touch $r/dev/$device
        mount --bind /dev/$device $r/dev/$device
      done
      mkdir -p $r/dev/shm $r#{shared}
      mount -t tmpfs tmpfs $r/dev/shm
      mount --bind #{shared} $r#{shared}
      : > $r/etc/fstab
      cd $r
      mkdir -p .before
      pivot_root . .before
      umount -l /.before
      echo the machine is set up
      exec env -i container=flock PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin #{first(init)} </dev/null
    SCRIPT
  end

  def first(init)
    return SYSTEMD + ' --system --unit=basic.target --log-target=console --show-status=0' if init == :systemd

    # Takes the ends of orphans, and does nothing else.
    "bash -c 'while :; do sleep 3600 & wait -n; done'"
  end
end
