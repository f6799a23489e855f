# Completion of flockctl for bash. What may stand there is asked of flockctl itself, which asks the flockd that the line means.
# shellcheck shell=bash

_flockctl() {
  local words=() word gap line i rest="${COMP_LINE:0:COMP_POINT}"
  # Readline takes words apart at "=" and ":"; where no space was between, they are one.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    gap="${rest%%[![:space:]]*}"
    rest="${rest#"$gap"}"
    word="${COMP_WORDS[i]}"
    ((i < COMP_CWORD)) || word="$rest"
    rest="${rest#"$word"}"
    if [[ -n "$gap" || $i -eq 0 ]]; then words+=("$word"); else words[-1]+="$word"; fi
  done
  # As flockctl will see them: without what only the shell reads.
  for i in "${!words[@]}"; do
    words[i]="${words[i]//[\\\"\']/}"
  done
  # Readline replaces what stands behind the last of these.
  local begun="${words[-1]}" kept=""
  [[ "$begun" != *[=:]* ]] || kept="${begun%"${begun##*[=:]}"}"

  COMPREPLY=()
  while IFS= read -r line; do
    word="${line%%$'\t'*}"
    if [[ "$word" == :files ]]; then
      mapfile -t COMPREPLY < <(compgen -f -- "${begun#"$kept"}")
      return
    fi
    # Behind these the word goes on.
    [[ "$word" != *[/=] ]] || compopt -o nospace 2>/dev/null
    COMPREPLY+=("$(printf '%q' "${word#"$kept"}")")
  done < <(flockctl complete -- "${words[@]:1}" 2>/dev/null)
}

complete -F _flockctl flockctl
