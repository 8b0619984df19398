# SPDX-License-Identifier: MIT
# Completion of utter for bash. The options of each command are held against utter's own by a test.

_utter_sessions() {
  local state=${XDG_STATE_HOME:-$HOME/.local/state}/utter/sessions path
  for path in "$state"/*.jsonl; do
    [[ -e $path ]] && path=${path##*/} && echo "${path%.jsonl}"
  done
  echo last
}

_utter_values() { # COMMAND OPTION: words that may follow it
  case $1:$2 in
    listen:--format | listen:-f) echo text jsonl srt vtt ;;
    transcribe:--format | transcribe:-f) echo text json srt vtt ;;
    history:--format | history:-f) echo text json jsonl srt vtt ;;
    *:--case) echo as-is lower sentence ;;
    *:--precision) echo stored fp32 int8 ;;
    *:--latency) echo auto low normal high ;;
    *:--encoder) echo auto window cached ;;
    *:--theme) echo default contrast colour-safe mono ;;
    *:--confidence) echo underline shade off ;;
  esac
}

_utter() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local commands='listen transcribe devices eval doctor history config'
  local command=listen options words
  [[ " $commands " == *" ${COMP_WORDS[1]} "* ]] && command=${COMP_WORDS[1]}
  [[ $command == config && $COMP_CWORD -gt 2 && " $commands " == *" ${COMP_WORDS[2]} "* ]] &&
    command=${COMP_WORDS[2]}
  case $command in
    listen)
      options='-d --device -i --input --speed --demo -f --format -o --output --drafts
        --no-history --history-days --record --case -m --model --precision -j --threads
        --latency --encoder --silence --wordless --limit --no-gate -h --help --mix
        --split --plain --theme --confidence --lines --large --times --no-mouse' ;;
    transcribe)
      options='-f --format -o --output --case -m --model --precision -j --threads --raw --window
        --stride -h --help' ;;
    devices)
      options='-h --help --json' ;;
    eval)
      options='-m --model --precision -j --threads --stream --join --level --latency --encoder
        --left --hop --right --silence --wordless --limit --no-gate --sweep --trn --json
        -h --help' ;;
    doctor)
      options='-d --device --seconds --no-history -m --model --precision -j --threads --latency
        --encoder -h --help' ;;
    history)
      options='-f --format -o --output --case --all --older -h --help' ;;
    config)
      options='--path -h --help' ;;
  esac
  words=$(_utter_values "$command" "$before")
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ $before == --model || $before == -m ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -d -- "$current"))
  elif [[ $current == -* ]]; then
    [[ $COMP_CWORD -eq 1 ]] && options+=' --version'
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ $COMP_CWORD -eq 1 || ($command == config && $COMP_CWORD -eq 2) ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  elif [[ $command == history && $COMP_CWORD -eq 2 ]]; then
    COMPREPLY=($(compgen -W 'list show export delete' -- "$current"))
  elif [[ $command == history && $before != --output && $before != -o ]]; then
    COMPREPLY=($(compgen -W "$(_utter_sessions)" -- "$current"))
  else
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}

complete -F _utter utter
