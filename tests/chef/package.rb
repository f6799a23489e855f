# frozen_string_literal: true

require 'fileutils'
require 'open3'
require 'tmpdir'

# A Debian package of the flockd that is first in PATH, with what a node needs: for tests of the recipe that installs it.
module Package
  CONTROL = <<~TEXT
    Package: flock
    Version: 0.0~test
    Architecture: all
    Maintainer: The Flock project <nobody@example.org>
    Description: a node of a flock, as a test builds it
  TEXT

  module_function

  # Returns the path.
  def build(path)
    Dir.mktmpdir('flock-package-') do |root|
      bin = File.dirname(program('flockd'))
      put(File.join(bin, 'flockd'), root, 'usr/local/bin/flockd', 0o755)
      put(File.join(bin, 'flockctl'), root, 'usr/local/bin/flockctl', 0o755)
      put(File.join(bin, '../node/flockd.service'), root, 'usr/local/lib/systemd/system/flockd.service', 0o644)
      put(File.join(bin, '../node/flockd.init'), root, 'etc/init.d/flockd', 0o755)
      FileUtils.mkdir_p(File.join(root, 'DEBIAN'))
      File.write(File.join(root, 'DEBIAN/control'), CONTROL)
      output, status = Open3.capture2e('dpkg-deb', '--build', '-Znone', '--root-owner-group', root, path)
      raise output unless status.success?
    end
    path
  end

  def put(from, root, path, mode)
    to = File.join(root, path)
    FileUtils.mkdir_p(File.dirname(to))
    FileUtils.cp(from, to)
    File.chmod(mode, to)
  end

  def program(name)
    folder = ENV.fetch('PATH').split(':').find { |dir| File.executable?(File.join(dir, name)) }
    raise "no #{name} in PATH" unless folder

    File.join(folder, name)
  end
end
