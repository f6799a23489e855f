# Completion of flockctl for bash. Names of nodes and resources are asked of the local flockd.
# shellcheck shell=bash

_flockctl_ask() { # MEMBER WORD...: that member of each object in what flockctl answers
  local member="$1"
  shift
  flockctl "$@" --format json --timeout 1s 2>/dev/null | sed -n "s/.*\"$member\":\"\([^\"]*\)\".*/\1/p"
}

_flockctl_offer() { # CHOICE...: those that begin as the current word does, quoted where the shell needs it
  local choice
  for choice in "$@"; do
    [[ "$choice" != "$current"* ]] || COMPREPLY+=("$(printf '%q' "$choice")")
  done
}

_flockctl_offer_asked() {
  local choices
  mapfile -t choices < <(_flockctl_ask "$@")
  _flockctl_offer "${choices[@]}"
}

_flockctl() {
  local commands="status nodes node actors ping call resources converge updated notify notifications notification
    subscriptions events reload run-chef wait help"
  local common="--socket --format --timeout --help"
  local location="--node --role --recipe --environment --query --any --all-of"
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  local command="" operands=() i
  COMPREPLY=()

  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      --socket | --format | --timeout | --node | --role | --recipe | --environment | --query | --count | --wait | --on | --splay | --batch | \
        --state | --since) ((++i)) ;;
      --*) ;;
      *) if [[ -z "$command" ]]; then command="${COMP_WORDS[i]}"; else operands+=("${COMP_WORDS[i]}"); fi ;;
    esac
  done

  case "$previous" in
    --format) _flockctl_offer table json ;;
    --wait) _flockctl_offer accepted completed ;;
    --on) _flockctl_offer always success failure ;;
    --state) _flockctl_offer queued accepted started succeeded failed expired cancelled unknown ;;
    --node) _flockctl_offer_asked id nodes ;;
    --socket) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    --splay | --batch | --timeout | --role | --recipe | --environment | --query | --count | --since) return ;;
  esac
  [[ ${#COMPREPLY[@]} -eq 0 ]] || return

  if [[ "$current" == -* ]]; then
    # shellcheck disable=SC2086  # lists of words
    case "$command" in
      "") _flockctl_offer $common --version ;;
      nodes) _flockctl_offer $common $location ;;
      notify) _flockctl_offer $common $location --wait --on ;;
      notifications) _flockctl_offer $common --state --node ;;
      ping) _flockctl_offer $common --count ;;
      run-chef) _flockctl_offer $common $location --wait --splay --batch ;;
      converge) _flockctl_offer $common --why-run ;;
      events) _flockctl_offer $common --follow --since ;;
      *) _flockctl_offer $common ;;
    esac
    return
  fi

  # shellcheck disable=SC2086
  case "$command:${#operands[@]}" in
    :0 | help:0) _flockctl_offer $commands ;;
    node:0) _flockctl_offer show ;;
    notification:0) _flockctl_offer show cancel retry ;;
    node:1 | actors:0 | ping:0 | resources:0 | subscriptions:0) _flockctl_offer_asked id nodes ;;
    notification:1)
      case "${operands[0]}" in
        cancel) _flockctl_offer_asked id notifications --state queued ;;
        *) _flockctl_offer_asked id notifications ;;
      esac
      ;;
    updated:0) _flockctl_offer_asked resource resources ;;
  esac
}

complete -F _flockctl flockctl
