# SPDX-License-Identifier: MIT
# Completion of utter for fish. The options of each command are held against utter's own by a test.

set -g __utter_commands listen transcribe devices eval doctor history config

function __utter_runs --description 'whether the command line runs one of these commands'
    set -l words (commandline -opc)
    set -l command listen
    if set -q words[2]; and contains -- $words[2] $__utter_commands
        set command $words[2]
    end
    contains -- $command $argv
end

function __utter_sessions
    set -l state ~/.local/state
    set -q XDG_STATE_HOME; and set state $XDG_STATE_HOME
    for path in $state/utter/sessions/*.jsonl
        string replace -r '.*/(.*)\.jsonl' '$1' $path
    end
    echo last
end

complete -c utter -n 'test (count (commandline -opc)) -eq 1' -f -a "$__utter_commands"
complete -c utter -n '__utter_runs history' -f -a 'list show export delete (__utter_sessions)'
complete -c utter -n '__utter_runs config' -f -a "$__utter_commands"
complete -c utter -n '__utter_runs devices doctor' -f

complete -c utter -n '__utter_runs listen doctor' -s d -l device -x -d 'the microphone: its name, a part of it, or its number'
complete -c utter -n '__utter_runs doctor' -l seconds -x -d 'how long to listen'
complete -c utter -n '__utter_runs listen' -s i -l input -r -F -d 'a recording instead, at the speed of a microphone'
complete -c utter -n '__utter_runs listen' -l speed -x -d 'the recording so many times as fast'
complete -c utter -n '__utter_runs listen' -l demo -d 'the recording that comes with utter'
complete -c utter -n '__utter_runs listen' -s f -l format -x -a 'text jsonl srt vtt' -d 'text, jsonl, srt or vtt'
complete -c utter -n '__utter_runs listen' -s o -l output -r -F -d 'the transcript’s file; text and jsonl are appended'
complete -c utter -n '__utter_runs listen' -l drafts -d 'jsonl: also words that may still change'
complete -c utter -n '__utter_runs listen doctor' -l no-history -d 'keep nothing of this session'
complete -c utter -n '__utter_runs listen' -l history-days -x -d 'delete kept sessions after N days'
complete -c utter -n '__utter_runs listen' -l record -d 'keep the audio too, as FLAC beside the session'
complete -c utter -n '__utter_runs transcribe' -s f -l format -x -a 'text json srt vtt' -d 'text, json, srt or vtt'
complete -c utter -n '__utter_runs transcribe' -s o -l output -r -F -d 'write there; into a directory, a file per recording'
complete -c utter -n '__utter_runs history' -s f -l format -x -a 'text json jsonl srt vtt' -d 'text, json, jsonl, srt or vtt'
complete -c utter -n '__utter_runs history' -s o -l output -r -F -d 'write there'
complete -c utter -n '__utter_runs listen transcribe history' -l case -x -a 'as-is lower sentence' -d 'as-is, lower or sentence'
complete -c utter -n '__utter_runs listen transcribe eval doctor' -s m -l model -x -a '(__fish_complete_directories)' -d 'the model’s directory or name'
complete -c utter -n '__utter_runs listen transcribe eval doctor' -l precision -x -a 'stored fp32 int8' -d 'fp32, int8 (a quarter of the memory, and faster), or as the model’s file has it'
complete -c utter -n '__utter_runs listen transcribe eval doctor' -s j -l threads -x -d 'threads that compute'
complete -c utter -n '__utter_runs transcribe' -l raw -x -d 'the files have no header: s16le:16000:1'
complete -c utter -n '__utter_runs transcribe' -l window -x -d 'longer recordings are cut into windows'
complete -c utter -n '__utter_runs transcribe' -l stride -x -d 'overlap at each inner edge'
complete -c utter -n '__utter_runs eval' -l stream -d 'also caption every recording live, as fast as it goes: latencies, stability, and what streaming costs in words'
complete -c utter -n '__utter_runs eval' -l join -x -d 'as --stream, all recordings as one stream, with pauses'
complete -c utter -n '__utter_runs eval' -l level -x -d 'make the speech of every recording so loud first'
complete -c utter -n '__utter_runs listen eval doctor' -l latency -x -a 'auto low normal high' -d 'how soon words come: low, normal, high (later words are surer and cost less) or auto: what was measured to be good for the model'
complete -c utter -n '__utter_runs listen eval doctor' -l encoder -x -a 'auto window cached' -d 'window, cached (cheaper; some models then hear worse) or auto: what was measured to be good for the model'
complete -c utter -n '__utter_runs eval' -l left -x -d 'of the stream: left context'
complete -c utter -n '__utter_runs eval' -l hop -x -d 'of the stream: from one decode to the next'
complete -c utter -n '__utter_runs eval' -l right -x -d 'of the stream: right context'
complete -c utter -n '__utter_runs listen eval' -l silence -x -d 'so much silence ends an utterance'
complete -c utter -n '__utter_runs listen eval' -l wordless -x -d 'so much sound without a word does, too'
complete -c utter -n '__utter_runs listen eval' -l limit -x -d 'longer utterances are cut where quietest'
complete -c utter -n '__utter_runs listen eval' -l no-gate -d 'decode silence too'
complete -c utter -n '__utter_runs eval' -l sweep -r -F -d 'stream with every combination of --left, --hop and --right, which may then be lists (0.2,0.4); the table goes to FILE (.tsv or .json), for tools/plot'
complete -c utter -n '__utter_runs eval' -l trn -r -F -d 'also write PREFIX.ref.trn and PREFIX.hyp.trn for sclite'
complete -c utter -n '__utter_runs eval' -l json -d 'the report as JSON'
complete -c utter -n '__utter_runs history' -l all -d 'delete: all sessions'
complete -c utter -n '__utter_runs history' -l older -x -d 'delete: what nothing was added to for so long'
complete -c utter -n '__utter_runs config' -l path -d 'only the name of the configuration file'
complete -c utter -n '__utter_runs listen transcribe devices eval doctor history config' -s h -l help -d 'help'
complete -c utter -n '__utter_runs listen' -l mix -d 'the microphone and what the desktop plays, as one'
complete -c utter -n '__utter_runs listen' -l split -d 'the same as two speakers, each with lines of its own'
complete -c utter -n '__utter_runs listen' -l plain -d 'lines of text and no screen, for screen readers'
complete -c utter -n '__utter_runs listen' -l theme -x -a 'default contrast colour-safe mono' -d 'colours of the screen'
complete -c utter -n '__utter_runs listen' -l confidence -x -a 'underline shade off' -d 'how unsure words look'
complete -c utter -n '__utter_runs listen' -l lines -x -d 'lines of captions'
complete -c utter -n '__utter_runs listen' -l large -d 'large letters'
complete -c utter -n '__utter_runs listen' -l times -d 'show when words were said'
complete -c utter -n '__utter_runs listen' -l no-mouse -d 'leave the mouse to the terminal'
complete -c utter -n '__utter_runs devices' -l json -d 'a list for programs'
