"""Declining to answer, in three languages: 'não posso ajudar', 'as an AI', 'consulte um médico' and their kin."""

from __future__ import annotations

import re

from benchctl.answers.phrases import any_of

_ACT_PT = r"(?:te\s+|lhe\s+|me\s+)?" + any_of(
    """ajuda / auxilia / assisti / fornec / respond / recomend / da[r]\\b / ofere / diagnost / prescrev /
        aconselh / fazer (esse|este|um|o|diagn|recom) / faze / realizar diag / presta / opina / indica / suger /
        orienta / emiti / escolh / decid / avali / tratar / comentar / cumprir / atender / continuar /
        participar / especul / julga / analisa / pronunci / discutir / dizer / formular / passar / substituir /
        selecionar / apoiar / interpret"""
)
_ACT_EN = any_of(
    """help / assist / provid / answer / give / offer / recommend / diagnos / prescrib / advis / comment /
        suggest / make (a|medical|any) / respond / fulfil / comply / choose / select / discuss / engage /
        support / interpret / continue"""
)
_ACT_ES = r"(?:te\s+)?" + any_of(
    """ayudar / asistir / proporcion / respond / recomend / dar / ofrec / diagnostic / prescri / aconsej /
        hacer / brindar / suger / opin / indicar / eleg / escoger / contest / decid"""
)
_CANNOT_PT = any_of(
    """posso / consigo / poderia / poderei / me [eé] possivel / [eé] possivel para mim / sou capaz de / devo /
        vou / irei / estou (apt[oa]|habilitad[oa]|autorizad[oa]|qualificad[oa]|em condicoes|preparad[oa]|
        programad[oa])( a| para| de)? /
        tenho (permissao|autorizacao|qualificacao|competencia|como|condicoes|capacidade)( de| para| a)? /
        gostaria de / pretendo / quero / [eé] (apropriado|etico|adequado) /
        fui (treinad|programad|projetad)[oa] para / seria (etico|apropriado|adequado)"""
)
_CANNOT_EN = any_of(
    """can't / cannot / can not / could not / couldn't / won't / will not / not able to / unable to /
        not (qualified|comfortable|allowed|permitted|in a position|authorized)( to)? / must decline to /
        have to decline to / decline to / refuse to / prefer not to / would rather not / rather not /
        not going to"""
)
_CANNOT_ES = any_of(
    """puedo / podria / podre / soy capaz de /
    estoy (autorizad[oa]|capacitad[oa]|calificad[oa]|en condiciones|en posicion)( a| para| de)? /
        me es posible / debo / voy a"""
)
_SORRY = r"[^.\n]{0,30}\b"
_MACHINE = r"\b[^.\n]{0,80}\b"
_REFUSAL = re.compile(
    r"\b(?:"
    + "|".join(
        (
            rf"nao\s+{_CANNOT_PT}\s+{_ACT_PT}",
            rf"{_CANNOT_EN}\s+{_ACT_EN}",
            rf"no\s+{_CANNOT_ES}\s+{_ACT_ES}",
            any_of(
                """(devo|preciso|vou|irei|terei (de|que)|tenho (de|que)|sou obrigad[oa] a|sou forcad[oa] a)
                (recusar|declinar|me abster|abster-me) /
                i (must|have to|need to|will|will have to|am going to|am obliged to)
                (politely |respectfully )?(decline|refuse) /
                i'll have to (decline|refuse) / (debo|tengo que|voy a|prefiero) (rechazar|declinar|abstenerme)"""
            )
            + r"(?![^\W_])(?!\s+(?:(?:a|o|as|the|la|el)\s+)?"
            r"(?:alternativa|opcao|opcion|option|"
            r"letra|hipotese|[b-h]\b))",
            any_of("desculpe / sinto muito / lamento / perdao / infelizmente")
            + _SORRY
            + any_of("nao (posso|consigo|vou|poderei|[eé] possivel|estou|tenho|devo|sou)")
            + r"\b",
            any_of("(i'm|i am) (so |very )?sorry")
            + _SORRY
            + any_of("can't / cannot / unable / not able / won't")
            + r"\b",
            any_of("lo (siento|lamento)") + _SORRY + any_of("no puedo") + r"\b",
            any_of(
                """como (um |uma )?(ia|modelo de (linguagem|ia|lingua)|assistente (virtual|de ia|digital)|
        inteligencia artificial) /
        sou (apenas )?(um |uma )?(ia|modelo de linguagem|assistente virtual|inteligencia artificial)"""
            )
            + _MACHINE
            + r"nao\b",
            any_of("as an? (ai|artificial|language model|large language)")
            + _MACHINE
            + any_of("not / cannot / can't / unable / don't")
            + r"\b",
            any_of("como (un |una )?(modelo de lenguaje|ia|inteligencia artificial|asistente)") + _MACHINE + r"no\b",
            any_of(
                """nao me sinto (a vontade|confortavel|segur[oa]|apt[oa]|qualificad[oa]|habilitad[oa]) /
        not comfortable\\b / (prefiro|opto por|escolho) nao (respond|opin|dar|escolh|comentar|indicar) /
        recuso-me / me recuso / declino\\b / abstenho-me / me abstenho / prefiero no (respond|contest|opin) /
        i (must|have to|respectfully) decline\\b"""
            ),
            any_of(
                """(so|apenas|somente|only) ((o|a|um|uma|seu|sua|your) )*(medic[oa]|profissional|especialista|doctor|
        physician|professional)"""
            )
            + r"\b[^.\n]{0,60}\b(?:pode|podera|deve|can|should)",
            any_of(
                """(consult[ea]|procure|busque|fale|converse|acuda|hable|consultar?|see|ask|speak|talk|contact|
        consulting) ((com|to|with|con|a|o|um|uma|un|seu|sua|su|tu|your|an?|the|atendimento|
        ajuda|orientacao|assistencia|servico|atencion) )*(medic[oa]|profissional|
        especialista|farmaceutic[oa]|\\w+logista|\\w+logo|\\w+iatra|obstetra|ortopedista|\\w+ologist|doctor|physician|health|medical|professional|profesional|qualified)"""
            ),
            any_of(
                """fora d[aeo]s? (que (eu )?(posso|consigo|sei|me é permitido|estou autorizad[oa])|
                meu|minha|minhas|meus)\\b /
                (foge|fogem|escapa|escapam|ultrapassa|excede)( a| as| ao| aos| d[aeo]s?)? (meu|minha|minhas|meus)\\b /
                fora d[aeo]s? (meu|minha|minhas|meus) (escopo|alcance|capacidades?|competencias?|area) /
                (outside|beyond) (of )?(my (scope|capabilities|expertise|abilities)|what i can|
                the scope of what i) / fuera de mi (alcance|ambito) /
                nao (forneco|ofereco|dou|presto|faco(?! (a menor |a minima
                )?ideia)|realizo|respondo|emito|comento|recomendo|indico|prescrevo|
                responderei|opinarei|darei)\\b /
                i (do not|don't) (provide|give|offer|answer) / no (doy|ofrezco|proporciono|respondo)\\b"""
            ),
            (
                r"(?:minhas|as|nossas)\s+(?:diretrizes|politicas|normas|regras|instrucoes)\b[^.\n]{0,50}\b"
                r"(?:nao|imped|proib|viol)"
            ),
            any_of(
                """nao (me )?(cabe|compete|cumpre|corresponde)( a mim)?(?! com) / nao (é|e|seria) (meu papel|minha
                    funcao|da minha (alcada|competencia)|
        minha (atribuicao|area)|comigo) / no me corresponde /
        (nao|no) (darei|vou dar|posso dar|quero dar|pretendo dar|devo dar|irei dar) (\\w+
        )?(resposta|opiniao|parecer|palpite|diagnostico) /
        nao tenho (autorizacao|permissao|competencia|habilitacao|qualificacao|formacao|condicoes)( \\w+)?( para|
        de)? (isso|tal|tanto|esse tipo|este tipo) /
        (vou|prefiro|opto por|escolho|devo|tenho de|tenho que) (me abster|abster-me|declinar|recusar|nao me
        pronunciar|nao me manifestar|nao opinar|
        nao responder|passar a (vez|pergunta)|deixar (a|essa|esta) (resposta|escolha|decisao|pergunta)) /
        deixo (a|essa|esta) (resposta|escolha|decisao|pergunta) (para|a|com|nas) / recuso / (vai|vao) contra (as
        |os |a |o )?(minhas|meus|minha|nossas|meu) /
        (fui|sou) (instruid|programad|orientad|proibid|impedid|treinad)\\w+ (a|de|para) (nao
        )?(responder|opinar|dar|escolher|fornecer|nao) /
        estou (proibid|impedid)\\w+ d[eo] / (so|apenas|somente) (quem|um|uma) (é |e
        )?(medic[oa]|\\w+logista|\\w+logo|\\w+iatra|profissional|especialista)
        [^.\\n]{0,30}(pode|poderia|podera|deve|saberia|tem) / i (will|would|'d|shall|'ll) (rather )?(abstain|pass)
        / against my (guidelines|policy|policies|programming) /
        i('m| am) not (a
        doctor|able|going|allowed|permitted|comfortable)[^.\\n]{0,20}(answer|advi|choose|diagnos|give|provide|say) /
        (decisao|escolha|avaliacao|indicacao|conduta|diagnostico|prescricao|resposta) (\\w+ )?(cabe|compete|(é|e)
        d[aeo]s? (medic|profissiona|especialista|equipe|paciente|familia|\\w+log)\\w*|deve ser (feit|tomad|dad)[ao]
        (por|pel[ao])|deve ser (decidid|avaliad|definid|discutid)[ao] (por|pel[ao]|com) ([ao]s? |uma? |seu
        |sua )?(medic|profiss|especial|equipe)\\w*|fica com|pertence)( a[o]?| apenas| somente| so|\\b) /
        nao (é|e|seria) (etico|apropriado|adequado|prudente|responsavel|seguro|correto|recomendavel)( d[ae]
        (minha|m) parte| eu| que eu| para mim)?
        (indic|respond|escolh|opin|dar|suger|recomend|diagnostic|prescrev|orient)\\w* / nao
        (opino|aconselho|diagnostico|me pronuncio|me manifesto|comento|trato d[eo]|entro n|discuto|respondo|escolho) /
        (é|e|seria) (irresponsavel|antietico|imprudente|inadequado|inapropriado|perigoso) (da minha parte |eu |de
        minha parte |que eu )?(responder|opinar|indicar|escolher|dar|sugerir|
        recomendar|diagnosticar|prescrever)"""
            ),
        )
    )
    + ")"
)
_NOT_A_REFUSAL = re.compile(
    any_of("(nao|no)? ?(posso|consigo|puedo|can't|cannot) (descart|exclu|elimin|rule|deixar de|help but)")
)


def refusal_span(low: str) -> tuple[int, int] | None:
    """Return the span of the words that decline, in folded lower-case text, or None."""
    found = _REFUSAL.search(low)
    return found.span() if found and not _NOT_A_REFUSAL.match(low, found.start()) else None
