"""The phrases the rules know, in Portuguese, English and Spanish, as patterns over folded lower-case text.

Folded means: no accents (but 'é', the verb, stays apart from 'e'), plain quotes and dashes. Every gap in a pattern is
bounded and every pattern begins at a literal word, so that none of them backtracks badly on hostile text.
"""

from __future__ import annotations

import re

from benchctl.answers.phrases import SENTENCE_START, WORD_END, WORD_START, any_of
from benchctl.answers.words import word_set

NOUN = any_of(
    """respostas? / resp / r / gab / apostas? / chute / voto / sugestao / alternativas? / alt / opcao / opcoes /
    opc / letras? / itens / item / gabarito /
        assertivas? / afirmativas? / alineas? / hipotese / solucao / escolha / conclusao / palpite / veredito /
        excecao / respuestas? / opcion / opciones / inciso / solucion / excepcion / answers? / ans / choices? /
        options? / letters? / solution / conclusion / exception / guess / pick / bet / vote /
        apuesta / eleccion / decisao / decision"""
)
"""Nouns that announce an answer."""

DRESS = any_of(
    """alternativas? / alt / opcao / opcoes / opc / op / letras? / itens / item / assertivas? / afirmativas? /
    afirmacoes / alineas? / opcion /
    opciones / inciso / choices? / options? / letters? / answers? / respostas? / gabarito / numero / number"""
)
"""Nouns that make the letter after them an option."""

_QUALITY = any_of(
    """corret[ao]s? / cert[ao]s? / verdadeir[ao]s? / final / finais / definitiv[ao] / adequad[ao] / apropriad[ao] /
    melhor / ideal / exat[ao] / esperad[ao] / provavel / oficial / extraoficial / preliminar / provisori[ao] /
    escolhid[ao] / selecionad[ao] / unic[ao] / direta /
    curta / geral / completa / seguinte / so / que escolho / mais / right / correct / best / true / likely /
    appropriate / chosen / short / most / following / correct[ao]s? / ciert[ao] / adecuad[ao] / probable / mejor /
    acertad[ao] / mas / siguiente"""
)
_WRONG_QUALITY = any_of("incorret[ao] / errad[ao] / fals[ao] / incorrect / wrong / false / incorrecta")
_OF_WHAT = any_of(
    """(d[aoe]|of|de la|para|a|to|la) (questao|pergunta|question|pregunta|item|es[ts][ae] \\w+|this \\w+|a \\w+|
        the \\w+|letra|exercicio|problema) / (d|n)?es[ts][ae] (questao|pergunta|caso|item|exercicio|problema)"""
)
_ADVERBS = any_of(
    """portanto / entao / assim / logo / claramente / provavelmente / therefore / thus / probably / then / pues / so /
    aqui / nesse caso / neste caso / here / in this case / en este caso"""
)
_ADVERB = rf"(?:\s*,?\s*{_ADVERBS}\s*,?)?"
_PLAIN_E = r"e(?=\s+(?:a\s|o\s|as\s|os\s|letra|alternativa|opcao|[b-h](?![^\W_])|[aeo]\W*$|sim|nao|talvez))"
_IS = any_of(
    rf"""é / {_PLAIN_E} / seria / sera / so poderia ser / tem de ser / tem que ser / deve ser / deveria ser /
    so pode ser / pode ser /
    parece ser / parece / foi / fica / seja /
    passa a ser / torna-se / acaba sendo / continua sendo / vem a ser / volta a ser /
    ((?<=etas\s)|(?<=rtas\s)|(?<=etos\s)|(?<=rtos\s))(sao|seriam) / esta na / se encontra na / consiste em /
    corresponde a / is / would be /
    must be / should be / has to be / es / debe ser / debe de ser"""
)
_LINK = (
    rf"(?:{_ADVERB}\s+(?P<not>(?:nao|not|no)\s+)?{_IS}(?P<nt>\s+not|n't)?\b\s*[:=]?"
    rf"|{_ADVERB}\s*[:=]+[ \n]*(?:>\s*)?"
    r"|\s*-*>\s*|\s+-\s+)"
)
_WHICH = r"(?:\s+(?:que|which|that)\b[^.:;?!\n]{1,80}?)?"

HEAD = re.compile(
    rf"{WORD_START}(?:{any_of('a / o / la / el / the / minha / meu / my / mi / sua / our / nossa')}\s+)?"
    rf"(?:{NOUN}(?:\s+{_OF_WHAT})?(?P<wrong>\s+{_WRONG_QUALITY})?"
    rf"(?:\s+(?:mais\s+|most\s+|mas\s+)?{_QUALITY}){{0,3}}(?:\s+{_OF_WHAT})?{_WHICH}\s*\.?"
    rf"|{WORD_START}(?:a|o|la|el|the)\s+(?P<wrong_one>{_WRONG_QUALITY})(?:\s+one)?"
    rf"|{WORD_START}(?:as?|os?|la|el|lo|las|los)\s+(?:mais\s+|mas\s+)?"
    rf"{any_of('corret[ao]s? / cert[ao]s? / correct[ao]s? / adequad[ao]s? / provave(l|is)')}"
    rf"|{SENTENCE_START}\W*{any_of('corret[ao] / cert[ao] / correct / correct[ao]')})"
    rf"{_LINK}",
    re.M,
)
"""A phrase that announces the answer, up to where the answer begins.

Groups ``not`` and ``nt`` are set when it denies it; ``wrong`` and ``wrong_one`` when it announces the wrong one.
"""

CHOOSE = re.compile(
    rf"{WORD_START}(?:(?:eu|yo)\s+)?(?:(?P<not>nao|no|not|don't|nunca)\s+)?"
    + any_of(
        """aceit(o|aria|amos) /
        marc(o|aria|arei|amos|ar) / marque / escolh(o|eria|i|erei|emos|a) / (optaria|opto|optei) (por|pel[ao]) /
        (fico|ficaria|ficamos|ficarei|fiquei) (com|n[ao]|em) / (prefiro|preferiria|preferia) / marca /
        voto (em|na|no) / assinal(o|aria|amos|e|ei) / selecion(o|aria|ei|amos|e) /
        (vou|vamos|iria|ia|irei) (de|com|na|no|pela|pelo|em|marcar|escolher) / pode(m)? marcar / decido-me por /
        decido pel[ao] / apost(o|aria) (em|na|no) / chut(o|aria) / responderia /
        respondo / (devemos|deve-se|devo) (marcar|assinalar|escolher) /
        mant(enho|eria|emos)( (a )?(minha )?(resposta|escolha|opcao)( em| como| na)?)? /
        (tendo|tendendo|tenderia|inclinad[ao]) (mais )?(para|pra|pro) /
        (mudo|mudaria|mudei|troco|trocaria|troquei|passo|passei|altero|alterei)( a (minha
        )?(resposta|opcao|escolha|alternativa))?
        (para|pra|pro|por|pel[ao]|a) / (vai|vamos|bora|ir|iria|fui) (de|com|na|no|pela) / bora (na|no|com) / fecho
        (com|em|na|no) / crav(o|aria|ei) /
        (volto|voltaria|voltei) (para|pra|a|ao|na)(?=\\s+(a\\s+|o\\s+)?(letra|alternativa|opcao|[a-h]\\b)) /
        decid(o|i|iria) (pel[ao]|por) / inclino-me (por|pel[ao]|para|a) / me inclino (por|pel[ao]|para|a) / tendo
        (a|para) marcar /
        (optar|opt[ea]|optamos|optaremos) (por|pel[ao]) /
        i('d| would|'ll| will|'m going to)? (choose|chose|pick|select|go with|going with|answer) / going with /
        i prefer / i lean (towards?|to) / prefiero / elijo / elegiria / escogeria / escojo /
        me (quedo|quedaria) con / selecciono / votaria por"""
    )
    + rf"(?:\s+(?:que|como|for|por))?(?:\s+(?:correta|resposta|certa))?{WORD_END}\s*[:=]?\s*"
)
"""A verb by which the writer chooses."""

BELIEVE = re.compile(
    rf"{WORD_START}(?:"
    + any_of(
        """(eu )?(acho|acredito|creio|penso|diria|julgo|suponho|considero|concluo|estimo|parece-me|me parece|
        chutaria|imagino|aposto|apostaria)( que| q)? /
        (tenho|estou)( (quase|toda|muita|bastante))?( a)? (certeza|cert[ao]|convict[ao]|segur[ao])( de)? que /
        tudo indica que / estoy (casi )?segur[ao] de que /
        conclui-se que / i (think|believe|guess|would say|conclude)( that)? / i'd say / (yo )?(creo|pienso)( que)?"""
    )
    + rf"|{SENTENCE_START}\W*"
    + any_of(
        """talvez / provavelmente / possivelmente / certamente / definitivamente / sem duvida / com certeza /
        maybe / probably / perhaps / quizas? / probablemente / sin duda(s)? / seguramente / no doubt / surely /
        obviamente / obviously / definitely / claramente / clearly / of course / (com )?toda certeza /
        sem sombra de duvidas? / (so|isso) / fechado / ok / bem / bom / well / por mim / para mim / pra mim /
        en mi opinion / na minha opiniao / in my opinion / a meu ver / no caso / neste caso / nesse caso"""
    )
    + r")(?![^\W_])\s*(?:(?:seja|ser|é|e|sea|es|seria|it\s+is|it's|it\s+would\s+be|is)\b)?\s*[:,]?\s*",
    re.M,
)
"""Hedged belief: it commits, but only to a value that follows at once."""

IT_IS = re.compile(
    r"(?:^|(?<=[.!?;:\n,])|(?<=[.!?;:,]\s))\s*(?:nao[,\s]+)?"
    r"(?:(?:entao|logo|so|mas|porem|but|pero|afinal|no\s+fim|no\s+caso|contudo|isso|isto)[\s,]+)?"
    + any_of(
        """é / foi / era / sao / foram / eram / seria / sera / deve ser / so pode ser / pode ser / es / fue / son /
        debe ser / tem de ser / it is / it's / it was / it must be / they are / that's / is"""
    )
    + r"\s+(?:sim\s+)?(?=\S)",
    re.M,
)
"""'É a B': a sentence or clause that is nothing but a copula and a value."""

CONCLUDE = re.compile(
    WORD_START
    + any_of(
        """portanto / logo / assim( sendo)? / entao / dess[ae] (forma|modo|maneira) / des[st][ea] (modo|forma) /
        por isso / conclui-se / concluindo / concluo / em (conclusao|suma|resumo) / resumindo / ou seja /
        isto é / no caso / neste caso / mas (a (certa|correta) )?(é|foi|seria) / but( \\w+)? (it is|it's|it was) /
        pero es / enfim / finalmente / por fim / rest(a|am|ando|aria) / sobr(a|ou|ando|aria) /
        (trata|tratar)-se d[eao]s? / sugerem? / indicam? / apontam? para / compativel com / a favor d[aeo]s? /
        (?<=[.;:!,]\\s)(fica|ficam)(?=\\s+(so\\s+|apenas\\s+)?[ao]s?\\s) /
        favorecem? / caracteriz\\w+ / por (exclusao|eliminacao) / de modo que / faz pensar em / mas sim / e sim /
        temos(?=\\s+(a\\s+|o\\s+)?(letra|alternativa|opcao|[a-h]\\b)) / quem [^.;,\\n]{1,40}? (é|sao|foi) / o que
        [^.;,\\n]{1,40}? (é|foi) /
        (a|o|aquela|aquele) que [^.;,\\n]{1,40}? (é|sao) /
        (a|o|la|el|the) (unic[ao]|only)( one)? [^.;,\\n]{1,60}? (é|seria|is|es) / therefore / thus / hence /
        consequently /
        so(?=,| (?:the|it|is|i|my|we|this|that|[b-h])\\b) /
        in conclusion / (that|which|this) leaves / leaving / by elimination / suggests? / consistent with /
        in favou?r of / points? to / this is / (what|the one that) [^.;,\\n]{1,40}? (is|was) / but rather /
        por (lo )?tanto / asi que / entonces / luego / en conclusion / se trata de / queda / por descarte / sino"""
    )
    + WORD_END
)
"""Words that introduce what the writer concludes."""

CORRECT = re.compile(
    WORD_START
    + any_of(
        """ou melhor / alias / corrig\\w+ / correcao / retific\\w+ / errata / quer dizer / digo / perdao /
        nao\\s*,? (espere?a?|pera) / espere?a?(?=\\s*[,.:;!]) / pensando (melhor|bem) / repensando / reconsiderando /
        revendo / mudei (de ideia|para) / mudo (de|a|minha) \\w+ / (me )?enganei(-me)? / (me )?confundi(-me)? /
        (me )?equivoquei(-me)? / errei / li (errado|mal) /
        quis dizer / queria dizer / troquei / mudei / retiro (isso|o que disse) / na verdade /
        melhor dizendo / desculpe?m?(?=\\s*[,:]) / ops / opa / actually / wait / correction / on second thought /
        i mean / scratch that / let me correct / i was wrong / my mistake / no wait / hold on / or rather / sorry /
        oops / whoops / i meant / meant to (say|write) / i misread / my bad / make that / scrap that /
        lei mal / mejor dicho / perdon / me corrijo / en realidad / quise decir / me equivoque /
        o mejor"""
    )
    + WORD_END
)
"""Words by which the writer takes back what came before."""

REJECT = re.compile(
    WORD_START
    + "(?:"
    + any_of("nao / not / no / isn't / nunca / jamais / tampouco / nem / ni / e nao / mas nao / but not / y no / nor")
    + r"(?:\s+"
    + any_of(
        """é / e / seja / seria / pode ser / poderia ser / foi / sao / podem ser / is / be / es / sea / puede ser /
        fica / ficou / parece /
        corresponde a / se trata d[aeo] / com / por / with"""
    )
    + ")?|"
    + any_of(
        """descart(o|a-se|am-se|amos|ando|e|ar|aria|ei|adas?|ados?|em-se|a|am|aram) /
        elimin(o|a-se|am-se|amos|ando|e|ar|aria|adas?|ados?|ei|a|am|aram) /
        exclu(o|i-se|em-se|imos|indo|i|ir|iria|idas?|idos?|em|iram) / tir(o|ei|ando|amos|aria|adas?|ados?|ar) /
        risc(o|ei|ando|amos) / cort(o|ei|ando|amos) / rejeit(o|ei|ando|amos) /
        afast(o|ei|a-se|am-se|amos|ando|a|am|ar|adas?|ados?|aria) / errad[ao]s?\\s*: / incorret[ao]s?\\s*: /
        fals[ao]s?\\s*: /
        nada d[aeo] / muito menos / ao contrario d[aeo] / diferente(mente)? d[aeo] / em vez d[aeo] / (we can |i
        )?(rule|ruling|ruled) out /
        eliminat(e|ing) / exclud(e|ing) / discard(ing)? / unlike / instead of / rather than / en lugar de /
        a diferencia de"""
    )
    + r")\s+"
)
"""Words that reject the option right after them."""

_BE = any_of(
    """é / e / esta / estao / sao / seria / seriam / fica / foi / foram / parece / is / are / would be / es /
        son / estan / (podem|pode|poderiam|can) (ser|be)"""
)
_TOO = any_of(
    "tambem / igualmente / ainda / so / totalmente / claramente / ambas / todas / both / all / clearly / tampoco"
)
_DISCERN = any_of("(so )?serve(m|ria)? (apenas |so )?para (excluir|afastar|descartar)")
_GLUE = r"[\s()\]\"',:.-]*(?:\([^)\n]{0,60}\)\s*)?"
WRONG_AFTER = re.compile(
    rf"{_GLUE}(?:,\s*[^,.;\n]{{1,60}},\s*)?(?:tambem\s+)?"
    rf"(?:{_BE}\s*)?"
    rf"(?:{_TOO}\s+)*"
    + any_of(
        """incorret / errad / fals[ao] / incorrect / wrong / false / erronea / equivocad / descartad / eliminad /
        excluid / inadequad / improvav / improvab / unlikely / inapropriad /
        menos (provav|comu|frequent|indicad) / less (likely|common|frequent) / rar[ao]\\b / rare\\b / ruled out /
        fora\\b / nao (servem?|se aplicam?|se encaixam?|procedem?) / ❌ / ✗ / ✘ / x\\b / f\\b"""
    )
    + r"|[\s()\]\"':-]*(?:\([^)\n]{0,60}\)\s*)?(?:"
    + any_of(
        """nao / no / not / does not / doesn't / do not / don't / is not / isn't / are not / aren't / cannot /
        can't / nem / tampouco / tampoco / nunca / never / tambem nao / jamais / would not / wouldn't"""
    )
    + rf"\s+\w|{any_of('é / seria / esta / is / es')}\s+(?:nao|not|no)\s+\w|{_DISCERN}"
    rf"|(?:{any_of('tambem / ya / also / e / y')}\s+)?"
    + any_of("nao / not / no / tampouco / tampoco / neither / (muito|mucho|ainda|e) menos / menos / much less")
    + r"(?=\s*(?:[.,;:!)\n|]|$|e\s|y\s|and\s|nem\s|ni\s))(?!\s*,?\s*(?:é|es|is)\s))"
)
"""What follows an option that is rejected ('está incorreta', 'não explica')."""

_RIGHT = any_of(
    """corret[ao]s? / cert[ao]s? / verdadeir[ao]s? / adequad[ao]s? / respostas? /
        mais (provavel|adequad[ao]|corret[ao]|indicad[ao]) /
        (\\w{5,}) de (escolha|eleicao) /
        superior(es)?(?=\\s+a) / preferive(l|is) / mais eficaz(es)? /
        (de )?primeira (escolha|linha|opcao) / first(-| )(choice|line) / (treatment|drug|test) of choice /
        (tratamiento|farmaco) de eleccion / melhor / apropriad[ao]s? / gabarito / valid[ao]s? / right /
        correct / true / best / answer / most \\w+ / appropriate / mas (probable|adecuad[ao]) / correct[ao]s? /
        respuesta / acertad[ao] / mejor / ciert[ao]s?"""
)
_FITS = any_of(
    """tambem (serve|vale) / serve(m)? / procede(m)? / (se )?encaixa(m)?(-se)? / (se )?aplica(m)?(-se)? / bate(m)?
        / vale(m)? / satisfaz(em)? /
    responde(m)? / podem ser( (a resposta|as respostas|corretas|aceitas))?"""
)
_SO_ARE_BOTH = any_of(
    "possiveis / plausiveis / provaveis / aceitaveis / igualmente comuns / valid[ao]s / compativeis / admissiveis"
)
_BEFORE_RIGHT = any_of(
    """a / o / as / os / the / la / el / las / los / totalmente / realmente / consideradas? / ambas / both /
        todas / unic[ao]s? / only / de fato / tambem / also / sim / claramente / clearly / alternativa / opcao /
        resposta / option / answer / choice / respuesta / opcion / que esta"""
)
RIGHT_AFTER = re.compile(
    rf"[\s()\]\"',:.-]*(?:(?:tambem|also|igualmente)\s+)?(?:"
    rf"{_BE}\s+(?:{_BEFORE_RIGHT}\s+){{0,4}}{_RIGHT}{WORD_END}"
    rf"|{_RIGHT}{WORD_END}(?=\s*(?:[.,;:!)\]<-]|$|pois|porque|because|since))"
    rf"|{_FITS}(?=\s*(?:[.,;:!)]|$|pois|porque|aqui|neste|nesse))|"
    rf"{_BE}\s+(?:igualmente\s+(?!comuns))?{_SO_ARE_BOTH}{WORD_END}|[✅✓✔☑])"
    r"(?!\s+(?:se|caso|quando|if|si|apenas\s+se)\b)"
)
"""What follows an option that is called right ('está correta', 'is the best answer', a tick)."""

_WOULD = any_of("seria / estaria / poderia / poderiam / seriam / fosse / pudesse / would / could / might / podria")
SUPPOSED = re.compile(
    rf"\b{_WOULD}\b[^.;\n]{{0,80}}?"
    rf"\b{any_of('se / caso / quando / em casos? / if / when / in some / si / cuando')}\b"
)
"""A sentence that only supposes ('estaria correta se ...'): it commits to nothing."""

_ALTHOUGH = any_of(
    """se(?! (usa|da|administra|utiliza|emplea|indica|trata|faz)) / caso / if / si / embora / apesar / although /
    though / while / enquanto / aunque / mesmo que"""
)
CONCEDE = re.compile(
    rf"^\W*{_ALTHOUGH}\b"
    rf"|\b{any_of('tambem (pode|podem|poderia|pudesse|seria) / (could|might|may) also / tambien pod')}",
    re.M,
)
"""A sentence that concedes something: options in it are discussed, not chosen."""

EXCEPTION_AFTER = re.compile(
    rf"[\s()\]\"'.:-]*{any_of('é / e / seria / is / es')}\s+(?:(?:justamente|exatamente|entao)\s+)?(?:a|the|la)\s+"
    rf"{any_of('excecao / exception / excepcion')}{WORD_END}"
)
"""What follows the option that the question, asking for the exception, is after ('a terceira é a exceção')."""

CONTRAST = re.compile(
    r"[,;.]\s*(?:e\s+)?"
    + any_of(
        """enquanto( que)? / ao passo que / ja( n?[ao]s?)? / whereas / while / mientras( que)? / en cambio /
        in contrast /
        por outro lado / on the other hand / diferentemente d[aeo] / ao contrario d[aeo] / unlike / embora"""
    )
    + WORD_END
)
"""Where a sentence turns to another option to set it against the first."""

EXCEPT = re.compile(
    r"(?:\b(?:tod[ao]s|all|demais|outr[ao]s|every)\b[^.;\n]{0,140}?|^\W*)"
    rf"\b{any_of('exceto / menos / salvo / except( for)? / excepto / a nao ser')}\s+"
)
"""'Todas estão erradas, exceto': the option after it is the one that stands out."""

UNDECIDED = re.compile(rf"\b{any_of('entre / between / tanto / both / ambas? / ambos')}\s+")
"""The writer joins the options after it, or hesitates between them."""

_THE_TWO = any_of("(as|os|las|los|the) (duas|dois|dos|two) / ambas / ambos / both / qualquer (uma )?d[ae]s duas")
BOTH = re.compile(rf"\b{_THE_TWO}\b")
"""'As duas estão certas': both of the options named."""

META = word_set(
    """boa otima excelente pergunta questao vamos vou analisar analise analisando cada uma alternativa
        alternativas opcao opcoes resposta letra item claro certo aqui segue passo passos pensar pensemos
        considerar considere cuidado com let us lets think step analyze question answer sure option options good
        great here correta correto certa explicacao justificativa pregunta respuesta veamos analicemos paso pense
        raciocinio seguinte depende sei saber know idea nada duvida ok bem entao letter choice alternatives
        following siguiente opcion opciones correcta gabarito preciso precisamos informacoes primeiro entender
        avaliar verificar obrigado hello ola oi hi thanks primeiramente vejamos ver look start begin comecar null
        none undefined nan vazio desconhecido unknown unsure tanto quanto ambas ambos both duas dois two creio
        acho acredito penso need more context information must content error connection aborted reset apologies
        sorry please dificil facil interessante complicada complicado entendi compreendi okay pronto perfeito
        hmm hum veja dependendo caso entendido certamente difficult interesting"""
)
"""Words that talk about answering and are no answer."""
