# frozen_string_literal: true

name 'flock_of_chefs'
maintainer 'The Flock project'
license 'Apache-2.0'
description 'Resources that notify, and are notified by, resources on other nodes'
version '0.1.0'
chef_version '>= 16.0'
supports 'debian', '>= 12.0'
